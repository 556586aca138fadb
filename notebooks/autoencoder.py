# %% [markdown]
# # An autoencoder
#
# An autoencoder is two networks in a row. The encoder $f$ turns a picture $x$ into a code $z$ with
# fewer numbers than the picture has pixels; the decoder $g$ has to make the picture again from
# those. Here it is a *denoising* one (Vincent et al., 2008): what goes in is spoilt by noise, what
# must come out is clean,
#
# $$\min_{f,g}\; \mathbb E_{x,\varepsilon}\,
#   \big\| g\big(f(x + \sigma\varepsilon)\big) - x \big\|^2,
#   \qquad \varepsilon \sim \mathcal N(0, 1).$$
#
# Noise cannot be squeezed into a short code, so it is left behind. And what the network has never
# seen does not fit into the code either: how badly a picture comes back tells how unusual it is.

# %%
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from IPython.display import SVG, Image, display

from changeling.faces import open_pictures
from changeling.generators import Task, configuration, load_with, with_noise
from changeling.measuring import NonLocalMeans, levels, mean_psnr, unit_tensor
from changeling.provenance import Credential, Source, signed_png
from changeling.study import Curve, Curves, chart_svg, sheet, train_pictures
from changeling.training import Budget, Run, Runtime

# %% tags=["parameters"]


@dataclass(frozen=True)
class Lesson:
    """How much is learnt, and how much is shown."""

    steps: int = 600
    """Of 16 pictures each."""
    test: int = 300
    """Pictures that are restored to be measured."""

    @classmethod
    def tiny(cls) -> "Lesson":
        """Return what still runs every line."""
        return cls(steps=10, test=20)


lesson = Lesson()

# %% [markdown]
# The data: FashionMNIST, 28×28 grey pictures of clothes, which show nobody. Below are some that the
# network will not learn from, and the same with noise of a fifth of full scale.

# %%
train, test = (open_pictures("fashion-mnist", part=part) for part in ("train", "test"))
# One thread gives the same figures on every machine of a kind.
runtime = replace(Runtime.best(), threads=1)
credential = Credential("autoencoder.ipynb", Source.SYNTHETIC, model="restoring")


def show(pictures: torch.Tensor, columns: int) -> None:
    """Show grey pictures (n, 1, h, w), 0…1, in rows, signed as everything that leaves."""
    pixels = sheet(np.repeat(levels(pictures), 3, axis=3), columns=columns)
    display(Image(signed_png(pixels, credential), width=700))


unseen = unit_tensor(test.read(np.arange(lesson.test), 28))
noisy = with_noise(unseen, 0.2, seed=0)
show(torch.cat([unseen[:10], noisy[:10]]), columns=10)

# %% [markdown]
# The code has four numbers for every 4×4 pixels: a quarter of the picture.

# %%
laptop = configuration("restoring", Task(size=28, channels=1))
config = replace(laptop, widths=(32, 64), code=4)
folder = TemporaryDirectory()
run = Path(folder.name) / "autoencoder"
steps = train_pictures(
    "restoring", config, train, run, Budget(None, lesson.steps),
    today=date.today(), runtime=runtime,
)  # fmt: skip
*_, last = steps
rows = [row for row in Run(run).rows() if "mse" in row]
curve = Curve("training", tuple((row["step"], row["mse"]) for row in rows))
display(SVG(chart_svg(Curves("", "", "steps", "mean squared error", (curve,)), alone=True)))

# %% [markdown]
# Noisy above, through the autoencoder in the middle, the truth below.

# %%
autoencoder = load_with(run, "unlikeness", runtime=runtime)
restored = autoencoder.restore(noisy)
show(torch.cat([noisy[:10], restored[:10], unseen[:10]]), columns=10)

# %% [markdown]
# How good is that? In decibels against the truth, beside the best known way without learning: means
# over places of the picture that look alike, tuned on the truth itself (non-local means).

# %%
rival = NonLocalMeans.best(noisy, unseen, 0.2).restore(noisy)
gains = {
    "noisy": mean_psnr(noisy.clamp(0, 1), unseen),
    "non-local means": mean_psnr(rival, unseen),
    "autoencoder": mean_psnr(restored, unseen),
}
for name, psnr in gains.items():
    print(f"{name:16} {psnr:.2f} dB")

# %% [markdown]
# The unusual: the same clothes upside down. Each is compared with itself as it should be; chance
# would call half of them the more unusual one.

# %%
usual, unusual = (autoencoder.unlikeness(one) for one in (unseen, unseen.flip(2)))
noticed = float((unusual > usual).float().mean())
print(f"the picture upside down is the more unusual one in {noticed:.0%}")
worst = usual.argsort(descending=True)[:10]
show(torch.cat([unseen[worst], autoencoder.restore(unseen)[worst]]), columns=10)

# %% [markdown]
# Above are the ten unseen pictures that came back worst, and below what came back: rare cuts, and
# patterns too fine for the code.

# %%
folder.cleanup()
