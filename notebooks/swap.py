# %% [markdown]
# # A face swap, measured against the truth
#
# One encoder for everybody and a decoder for each person: that is the classic face swap. The
# encoder $f$ sees faces of A and B, warped, so that it learns what both have in common (expression,
# pose, light); each decoder $g_A$, $g_B$ makes the faces of its own person from that,
#
# $$\min\; \mathbb E_{a}\,\| g_A(f(\tilde a)) - a \| + \mathbb E_{b}\,\| g_B(f(\tilde b)) - b \|,
#   \qquad \text{swap}(a) = g_B(f(a)).$$
#
# Nothing in this says that $g_B(f(a))$ is what B would have looked like: of real people nobody can
# know. Here A and B are rendered, so the true answer is filmed too: B's face with A's hair and
# clothes in the very same performance.

# %%
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from IPython.display import SVG, Image, display

from changeling.actors import Actor, Performance, film
from changeling.converting import How, convert
from changeling.faces import extract
from changeling.generators import Task, configuration, load_generator
from changeling.measuring import CopySource, MeanFace, Rivals, judge, read_samples
from changeling.media import read_frames
from changeling.provenance import Credential, Source, signed_png, verify
from changeling.study import (
    PAIRS,
    Curve,
    Curves,
    Pair,
    chart_svg,
    donor_of,
    sheet,
    train_family,
)
from changeling.training import Budget, Run, Runtime

# %% tags=["parameters"]


@dataclass(frozen=True)
class Lesson:
    """Who is filmed, and how much is learnt."""

    pair: Pair = PAIRS[0]
    """Who performs (a), and whose face is put in (b)."""
    size: tuple[int, int] = (480, 270)
    """Of the films."""
    seconds: float = 10.0
    """Of each film to learn from."""
    held_out: float = 3.0
    """Of the performance that is swapped."""
    faces: int = 64
    """Side of the faces in pixels."""
    steps: int = 200
    """Of eight faces of each person."""

    @classmethod
    def tiny(cls) -> "Lesson":
        """Return what still runs every line."""
        return cls(Pair(Actor(1, 1), Actor(2, 1)), (160, 120), 0.4, 0.2, faces=16, steps=2)


lesson = Lesson()

# %% [markdown]
# Four films: A and B perform for training; A performs something else, held out; and the truth of
# that, B's face with A's styling. Each film is signed and says who is rendered in it.

# %%
folder = TemporaryDirectory()
home = Path(folder.name)
a, b = lesson.pair.a, lesson.pair.b
answer = Actor(b.face, a.styling)
casts = {
    "a": (a, 1, lesson.seconds),
    "b": (b, 2, lesson.seconds),
    "performance": (a, 3, lesson.held_out),
    "truth": (answer, 3, lesson.held_out),
}
for name, (actor, seed, seconds) in casts.items():
    performance = Performance.from_seed(seed, seconds=seconds)
    film(actor, performance, home / f"{name}.mp4", size=lesson.size)
print(verify(home / "a.mp4").state)


def show(names: list[str], moments: int) -> None:
    """Show moments of films beside each other, signed as everything that leaves."""
    shown = []
    films = zip(*(list(read_frames(home / f"{name}.mp4")) for name in names), strict=False)
    frames = list(films)
    for index in np.linspace(0, len(frames) - 1, moments).round().astype(int):
        for frame in frames[index]:
            half = (lesson.size[0] // 2, lesson.size[1] // 2)
            shown.append(cv2.resize(frame.pixels, half, interpolation=cv2.INTER_AREA))
    pixels = sheet(np.array(shown, np.uint8), columns=len(names))
    source = Source.COMPOSITE if "swap" in names else Source.RENDERED
    display(Image(signed_png(pixels, Credential("swap.ipynb", source)), width=740))


show(["a", "b"], moments=2)

# %% [markdown]
# Faces are found, aligned by eyes, nose and mouth, and cut out.

# %%
today = date.today()
sets = [
    (name, extract(home / f"{name}.mp4", home / "faces" / name, today=today, size=lesson.faces))
    for name in ("a", "b")
]
crops = np.concatenate([faces.crops()[:: max(1, len(faces) // 8)][:8] for _, faces in sets])
display(Image(signed_png(sheet(crops, columns=8), Credential("swap.ipynb", Source.RENDERED))))

# %% [markdown]
# Training. The encoder begins with what many other actors taught it. Now and then the swap is held
# against the truth of a third performance: reconstruction alone cannot tell how good a swap is.

# %%
# One thread gives the same figures on every machine of a kind.
runtime = replace(Runtime.best(), threads=1)
run = home / "run"
config = configuration("autoencoder", Task(("a", "b"), lesson.faces))
steps = train_family(
    "autoencoder", config, sets, run, Budget(None, lesson.steps), today=today, runtime=runtime
)
*_, last = steps
rows = [row for row in Run(run).rows() if "truth_psnr" in row]
points = tuple((row["step"], row["truth_psnr"]) for row in rows)
curves = Curves("", "", "steps", "PSNR against the truth, dB", (Curve("swap", points),))
display(SVG(chart_svg(curves, alone=True)))

# %% [markdown]
# Each face of the held-out performance is encoded, decoded as B and pasted back as it is drawn.
# From left to right: what A performed, the swap, the truth.

# %%
convert(
    home / "performance.mp4", home / "swap.mp4", load_generator(run, runtime=runtime), to="b",
    donor=donor_of(run, "b"), today=today,
)  # fmt: skip
show(["performance", "swap", "truth"], moments=3)
print(verify(home / "swap.mp4").state)

# %% [markdown]
# The numbers. PSNR and SSIM inside the true inner face, of the network's crop and of the finished
# frame. A swap means something when it beats two answers that need no learning: A's own face in B's
# colours, and B's mean face. Likeness is the cosine of the identity network's features to those of
# the true frames (B) and of the performance (A).

# %%
target = sets[1][1]
crops, masks = target.crops(), target.masks()
rivals = Rivals(
    swap=load_generator(run, runtime=runtime),
    copy_source=CopySource.from_faces("b", crops, masks),
    mean_face=MeanFace.from_faces("b", crops, masks),
)
samples = read_samples(home / "performance.mp4", home / "truth.mp4")
judged = judge(islice(samples, 0, None, 5), rivals, to="b", how=How())
print(f"{'':12}  crop PSNR   SSIM  in place PSNR   SSIM  like B  like A")
for name in ("swap", "copy_source", "mean_face"):
    crop, place = getattr(judged.scores.crop, name), getattr(judged.scores.in_place, name)
    like = getattr(judged.identity, name)
    print(
        f"{name:12}  {crop.psnr:6.2f} dB  {crop.ssim:.3f}  {place.psnr:10.2f} dB  {place.ssim:.3f}"
        f"  {like.to_target:6.3f}  {like.to_source:6.3f}"
    )

# %% [markdown]
# The films carry credentials: the swap says that it is one, of what, and by which model. Five
# minutes of training and larger films are `changeling demo`.

# %%
folder.cleanup()
