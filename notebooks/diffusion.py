# %% [markdown]
# # Diffusion
#
# Noise is easy to add. A picture $x_0$ drowns in it step by step, and after $t$ steps it is
#
# $$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\varepsilon,
#   \qquad \varepsilon\sim\mathcal N(0,1),$$
#
# with $\bar\alpha_t$ falling from 1 to 0. A network learns to see through it: shown $x_t$ and $t$,
# it tells the noise, or what is the same the clean picture (Ho et al., 2020; here the *velocity*
# $v = \sqrt{\bar\alpha_t}\,\varepsilon - \sqrt{1-\bar\alpha_t}\,x_0$ of Salimans and Ho, 2022),
#
# $$\min_\theta\; \mathbb E_{x_0,\varepsilon,t}\; w_t\,\| v_\theta(x_t, t) - v \|^2 .$$
#
# To draw, begin with pure noise and take away a little of what the network sees, again and again.

# %%
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from IPython.display import SVG, Image, display

from changeling.faces import open_pictures
from changeling.generators import Task, configuration, load_with
from changeling.measuring import FashionClassifier, frechet_distance, levels, unit_tensor
from changeling.provenance import Credential, Source, signed_png
from changeling.study import Curve, Curves, chart_svg, sheet, train_pictures
from changeling.training import Budget, Run, Runtime

# %% tags=["parameters"]


@dataclass(frozen=True)
class Lesson:
    """How much is learnt, and how much is shown."""

    steps: int = 900
    """Of 64 pictures each."""
    test: int = 400
    """Pictures that are drawn to be measured."""

    @classmethod
    def tiny(cls) -> "Lesson":
        """Return what still runs every line."""
        return cls(steps=4, test=10)


lesson = Lesson()

# %% [markdown]
# The data: FashionMNIST, pictures of clothes, which show nobody; at 16×16, where a step costs a
# third.

# %%
train, test = (open_pictures("fashion-mnist", part=part) for part in ("train", "test"))
# One thread gives the same figures on every machine of a kind.
runtime = replace(Runtime.best(), threads=1)
credential = Credential("diffusion.ipynb", Source.SYNTHETIC, model="ddpm")


def show(pictures: torch.Tensor, columns: int) -> None:
    """Show grey pictures (n, 1, h, w), 0…1, in rows, signed as everything that leaves."""
    pixels = sheet(np.repeat(levels(pictures), 3, axis=3), columns=columns)
    display(Image(signed_png(pixels, credential), width=700))


unseen = unit_tensor(test.read(np.arange(lesson.test), 16))
show(unseen[:20], columns=10)

# %% [markdown]
# The network is a small U-Net that is also told the class, so that it can be asked for one.

# %%
laptop = configuration("ddpm", Task(size=16, channels=1, kinds=len(train.kinds)))
config = replace(laptop, widths=(32, 64))
folder = TemporaryDirectory()
run = Path(folder.name) / "diffusion"
steps = train_pictures(
    "ddpm", config, train, run, Budget(None, lesson.steps), today=date.today(), runtime=runtime
)
*_, last = steps
rows = [row for row in Run(run).rows() if "error" in row]
curve = Curve("training", tuple((row["step"], row["error"]) for row in rows))
display(SVG(chart_svg(Curves("", "", "steps", "weighted squared error", (curve,)), alone=True)))

# %% [markdown]
# The way in: three pictures drown. Each row is one picture, the noise grows from left to right.

# %%
diffusion = load_with(run, "reverse_strip", runtime=runtime)
forward = diffusion.forward_strip(unseen[:3], 10, seed=0)
show(forward.transpose(0, 1).flatten(0, 1), columns=10)

# %% [markdown]
# The way out: three pictures come out of noise, in fifty steps of which ten are shown. Below them,
# what the network believed at each of those steps to be behind the noise: first something like the
# mean of a class, then a garment, then this one.

# %%
drawing = diffusion.reverse_strip(3, 10, seed=1)
show(drawing.transpose(0, 1).flatten(0, 1), columns=10)
foreseen = diffusion.reverse_strip(3, 10, seed=1, foreseen=True)
show(foreseen.transpose(0, 1).flatten(0, 1), columns=10)

# %% [markdown]
# Asked for: each column is one class, in the order of the data set.

# %%
asked = torch.stack([diffusion.draw(3, seed=2, kind=kind) for kind in range(10)], dim=1)
show(asked.flatten(0, 1), columns=10)
print(", ".join(train.kinds))

# %% [markdown]
# Are they clothes, and the right ones? The project's classifier says how sure it is and how often
# it agrees with what was asked for. The Fréchet distance compares its features of drawn and of real
# pictures; it is the project's own and does not compare with published FID.

# %%
classifier = FashionClassifier.load()
each = lesson.test // 10
drawn = torch.cat([diffusion.draw(each, seed=3, kind=kind) for kind in range(10)])
wanted = torch.arange(10).repeat_interleave(each)
real, fake = classifier.classify(unseen), classifier.classify(drawn)
agreed = fake.accuracy(wanted)
distance = frechet_distance(fake.features, real.features)
print(
    f"confidence {fake.confidence:.3f}, as asked for {agreed:.0%}, Fréchet {distance:.1f}; "
    f"real pictures: confidence {real.confidence:.3f}"
)

# %% [markdown]
# A drawing that starts where the noise is as strong as in a spoilt picture restores it, and one
# that keeps what is known fills a hole: `changeling restore --help`.

# %%
folder.cleanup()
