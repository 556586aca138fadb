# %% [markdown]
# # A variational autoencoder
#
# An *autoencoder* squeezes a picture $x$ through a few numbers, its code $z$, and learns to give
# it back. A *variational* one (Kingma and Welling, 2013) makes the codes a cloud that can be drawn
# from: the encoder gives a Gaussian $q(z|x) = \mathcal N(\mu(x), \sigma^2(x))$ for each picture,
# and training maximises a bound on the likelihood of the data,
#
# $$\log p(x) \;\ge\; \mathbb E_{q(z|x)}[\log p(x|z)] \;-\;
#   \mathrm{KL}\big(q(z|x)\,\|\,\mathcal N(0, 1)\big).$$
#
# The first term asks for pictures that come back (cross-entropy of the pixels, `bce` below), the
# second for codes that look like plain noise (`kl`). When both are met, noise decodes to pictures.

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
from changeling.measuring import FashionClassifier, levels, mean_psnr, unit_tensor
from changeling.provenance import Credential, Source, signed_png
from changeling.study import Curve, Curves, chart_svg, sheet, train_pictures
from changeling.training import Budget, Run, Runtime

# %% [markdown]
# How much is learnt. One thread gives the same figures on every machine of a kind.


# %% tags=["parameters"]
@dataclass(frozen=True)
class Lesson:
    """How much is learnt, and how much is shown."""

    steps: int = 1400
    """Of 128 pictures each; 469 see every picture once."""
    test: int = 2000
    """Pictures that are given back and drawn to be measured."""

    @classmethod
    def tiny(cls) -> "Lesson":
        """Return what still runs every line."""
        return cls(steps=20, test=50)


lesson = Lesson()

# %% [markdown]
# The data: FashionMNIST, 28×28 grey pictures of clothes, which show nobody.

# %%
train, test = (open_pictures("fashion-mnist", part=part) for part in ("train", "test"))
runtime = replace(Runtime.best(), threads=1)
credential = Credential("vae.ipynb", Source.SYNTHETIC, model="vae-pictures")


def show(pictures: torch.Tensor, columns: int) -> None:
    """Show grey pictures (n, 1, h, w), 0…1, in rows, signed as everything that leaves."""
    pixels = sheet(np.repeat(levels(pictures), 3, axis=3), columns=columns)
    display(Image(signed_png(pixels, credential), width=700))


unseen = unit_tensor(test.read(np.arange(lesson.test), 28))
show(unseen[:20], columns=10)

# %% [markdown]
# The network of the textbooks: 784 pixels → 400 → a code of 20 numbers → 400 → 784. Training writes
# a run, a folder from which it can be opened again.

# %%
config = configuration("vae-pictures", Task(size=28, channels=1))
folder = TemporaryDirectory()
run = Path(folder.name) / "vae"
steps = train_pictures(
    "vae-pictures", config, train, run, Budget(None, lesson.steps),
    today=date.today(), runtime=runtime,
)  # fmt: skip
*_, last = steps
print({name: round(value, 1) for name, value in last.progress.step.losses.items()})

# %%
rows = [row for row in Run(run).rows() if "bce" in row]
bound = [Curve(name, tuple((row["step"], row[name]) for row in rows)) for name in ("bce", "kl")]
display(SVG(chart_svg(Curves("", "", "steps", "nats per picture", tuple(bound)), alone=True)))

# %% [markdown]
# Unseen pictures above, and what comes back through twenty numbers below: the shape survives, the
# pattern does not. The reconstruction is scored in decibels.

# %%
vae = load_with(run, "restore", runtime=runtime)
given = vae.restore(unseen)
show(torch.cat([unseen[:10], given[:10]]), columns=10)
psnr = mean_psnr(given, unseen)
print(f"{psnr:.2f} dB")

# %% [markdown]
# Pictures of noise: $z \sim \mathcal N(0, 1)$, decoded. They are soft, because the decoder gives
# the mean of all pictures that a code may stand for.

# %%
drawn = vae.draw(lesson.test, seed=0)
show(drawn[:40], columns=10)

# %% [markdown]
# Are they clothes? The project's classifier says how sure it is of its answer, for what was drawn
# and for real pictures; `rarest` is the share of the class that is drawn least, 0.1 if all are
# drawn alike.

# %%
classifier = FashionClassifier.load()
real, fake = classifier.classify(unseen), classifier.classify(drawn)
for name, seen in (("real", real), ("drawn", fake)):
    print(f"{name:6} confidence {seen.confidence:.3f}  rarest {seen.shares.min():.3f}")

# %% [markdown]
# The mean of two pictures is none, above. Through the code, below, it is pulled towards something
# that the network has seen: a code has no room for two garments at once.

# %%
ways = torch.linspace(0, 1, 10)[:, None, None, None]
mixed = (1 - ways) * unseen[:1] + ways * unseen[1:2]
show(torch.cat([mixed, vae.restore(mixed)]), columns=10)

# %% [markdown]
# With faces, `changeling train vae` gives one encoder a decoder for each person: a face that is
# encoded like all others and decoded as somebody else is a swap.

# %%
folder.cleanup()
