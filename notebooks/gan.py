# %% [markdown]
# # A generative adversarial network
#
# Two networks play against each other (Goodfellow et al., 2014). The generator $G$ turns random
# numbers $z$ into pictures; the discriminator $D$ says how likely a picture is real:
#
# $$\min_G \max_D \; \mathbb E_x[\log D(x)] + \mathbb E_z[\log(1 - D(G(z)))].$$
#
# Nobody ever tells $G$ what a garment looks like, it only learns what $D$ did not believe. Where
# $D$ is fooled as often as not, $D(x)$ and $D(G(z))$ meet at one half. Here both are convolutional
# (DCGAN, Radford et al., 2016).

# %%
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from IPython.display import SVG, Image, display

from changeling.faces import open_pictures
from changeling.generators import Task, configuration, load_drawer
from changeling.measuring import FashionClassifier, frechet_distance, levels, unit_tensor
from changeling.provenance import Credential, Source, signed_png
from changeling.study import Curve, Curves, chart_svg, sheet, train_pictures
from changeling.training import Budget, Run, Runtime, collapse

# %% tags=["parameters"]


@dataclass(frozen=True)
class Lesson:
    """How much is learnt, and how much is shown."""

    steps: int = 1800
    """Of 64 pictures each."""
    looks: int = 3
    """How often training stops to show what is drawn."""
    test: int = 1000
    """Pictures that are drawn to be measured."""

    @classmethod
    def tiny(cls) -> "Lesson":
        """Return what still runs every line."""
        return cls(steps=6, looks=2, test=20)


lesson = Lesson()

# %% [markdown]
# The data: FashionMNIST, pictures of clothes, which show nobody; at 16×16, where a step costs a
# third.

# %%
train, test = (open_pictures("fashion-mnist", part=part) for part in ("train", "test"))
# One thread gives the same figures on every machine of a kind.
runtime = replace(Runtime.best(), threads=1)
credential = Credential("gan.ipynb", Source.SYNTHETIC, model="dcgan")


def show(pictures: torch.Tensor, columns: int) -> None:
    """Show grey pictures (n, 1, h, w), 0…1, in rows, signed as everything that leaves."""
    pixels = sheet(np.repeat(levels(pictures), 3, axis=3), columns=columns)
    display(Image(signed_png(pixels, credential), width=700))


unseen = unit_tensor(test.read(np.arange(lesson.test), 16))
show(unseen[:20], columns=10)

# %% [markdown]
# The same call again goes on where the last one stopped, so training can be looked at as it
# happens: the same random numbers after each part of it.

# %%
laptop = configuration("dcgan", Task(size=16, channels=1))
config = replace(laptop, drawing=16, judging=16)
folder = TemporaryDirectory()
run = Path(folder.name) / "gan"
for look in range(1, lesson.looks + 1):
    done = lesson.steps * look // lesson.looks
    steps = train_pictures(
        "dcgan", config, train, run, Budget(None, done), today=date.today(), runtime=runtime
    )
    *_, last = steps
    print(f"after {done} steps")
    show(load_drawer(run, runtime=runtime).draw(20, seed=0), columns=10)

# %% [markdown]
# The game: what the discriminator says of real and of drawn pictures.

# %%
rows = [row for row in Run(run).rows() if "d_real" in row]
said = {"D(x), real": "d_real", "D(G(z)), drawn": "d_fake"}
curves = tuple(
    Curve(name, tuple((row["step"], row[key]) for row in rows)) for name, key in said.items()
)
display(SVG(chart_svg(Curves("", "", "steps", "said to be real", curves), alone=True)))
trouble = collapse(Run(run).rows())
print("no collapse" if trouble is None else trouble)

# %% [markdown]
# Are they clothes? The project's classifier says how sure it is of its answer. `rarest` is the
# share of the class that is drawn least: 0.1 if all ten are drawn alike, 0 if one was forgotten
# (mode collapse). The Fréchet distance compares means and covariances of the classifier's features
# with those of real pictures; it is the project's own and does not compare with published FID.

# %%
classifier = FashionClassifier.load()
drawn = load_drawer(run, runtime=runtime).draw(lesson.test, seed=1)
real, fake = classifier.classify(unseen), classifier.classify(drawn)
more = classifier.classify(unit_tensor(test.read(np.arange(lesson.test) + 5000, 16)))
for name, seen in (("real", more), ("drawn", fake)):
    distance = frechet_distance(seen.features, real.features)
    print(
        f"{name:6} confidence {seen.confidence:.3f}  rarest {seen.shares.min():.3f}  "
        f"Fréchet {distance:.1f}"
    )

# %% [markdown]
# With fourteen minutes and 28×28 pixels see [the families](../docs/families.md#the-table).

# %%
folder.cleanup()
