"""What a trained swapper is worth on a demo's held-out performance, against the true answer.

`python -m benchmarks.swapping RUN --films demo` converts the performance of a demo's folder with
the generator of another run that learnt the same two people, and judges it as the demo does.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Annotated

import cv2
import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from changeling.converting import How
from changeling.faces import Tracker, crop, open_set
from changeling.generators import Swaps, load_generator
from changeling.measuring import (
    CopySource,
    MeanFace,
    Rivals,
    Sample,
    judge,
    read_samples,
    sharpness,
)
from changeling.media import Pixels, write_image
from changeling.training import Run, Runtime

JUDGED = 50
"""Frames of the held-out performance that are judged, evenly spread."""
SHOWN = 6
"""Frames in the picture."""


@dataclass(frozen=True, eq=False)
class Films:
    """The held-out performance with its truth, and two rivals made without learning."""

    folder: Path
    to: str = "b"

    def samples(self, count: int = JUDGED) -> list[Sample]:
        """Some moments of the performance, evenly spread."""
        every = list(read_samples(self.folder / "performance.mp4", self.folder / "truth.mp4"))
        return list(islice(every, 0, None, max(1, len(every) // count)))

    def rivals(self, swaps: Swaps) -> Rivals:
        """The generator, the source in the target's colours, and the target's mean face."""
        faces = open_set(self.folder / "faces" / self.to)
        crops, masks = faces.crops(), faces.masks()
        return Rivals(
            swap=swaps,
            copy_source=CopySource.from_faces(self.to, crops, masks),
            mean_face=MeanFace.from_faces(self.to, crops, masks),
        )


@dataclass(frozen=True)
class SwapFigures:
    """What a generator's crops are worth inside the true inner face; means over frames."""

    psnr: float
    ssim: float
    copy_psnr: float
    """Of the source's own face in the target's colours."""
    copy_ssim: float
    mean_psnr: float
    """Of the target's mean face."""
    mean_ssim: float
    sharpness: float
    """As a share of the truth's (see `measuring.sharpness`)."""
    to_target: float
    """Likeness of the finished face to the true one, by the identity network."""
    to_source: float
    """Likeness to the performer."""
    nearer: float
    """Share of the frames that are more like the target."""

    def lines(self) -> list[str]:
        """The figures as a table."""
        return [
            f"{'':12} {'PSNR':>6} {'SSIM':>6}",
            f"{'swap':12} {self.psnr:6.2f} {self.ssim:6.3f}",
            f"{'copy':12} {self.copy_psnr:6.2f} {self.copy_ssim:6.3f}",
            f"{'mean face':12} {self.mean_psnr:6.2f} {self.mean_ssim:6.3f}",
            f"sharpness {self.sharpness:.2f} of the truth's; likeness {self.to_target:.2f} to B, "
            f"{self.to_source:.2f} to A; nearer B in {self.nearer:.0%} of the frames",
        ]


def figures(swaps: Swaps, films: Films) -> SwapFigures:
    """Judge a generator on the films' held-out performance."""
    judgement = judge(films.samples(), films.rivals(swaps), to=films.to, how=How())
    crop, like = judgement.scores.crop, judgement.identity.swap
    return SwapFigures(
        psnr=crop.swap.psnr,
        ssim=crop.swap.ssim,
        copy_psnr=crop.copy_source.psnr,
        copy_ssim=crop.copy_source.ssim,
        mean_psnr=crop.mean_face.psnr,
        mean_ssim=crop.mean_face.ssim,
        sharpness=_sharpness(swaps, films),
        to_target=like.to_target,
        to_source=like.to_source,
        nearer=like.nearer,
    )


@dataclass(frozen=True, eq=False)
class Crops:
    """The same moments as aligned faces (n, size, size, 3)."""

    sources: Pixels
    drawn: Pixels
    truths: Pixels
    inner: NDArray[np.bool_]
    """(n, size, size): the true inner faces."""


def crops(swaps: Swaps, films: Films, count: int) -> Crops:
    """What the generator makes of some moments in which both faces are found."""
    performed, given = Tracker(), Tracker()
    sources, truths, inner = [], [], []
    for sample in films.samples(count):
        source, truth = performed.find(sample.performance), given.find(sample.truth)
        if source and truth:
            matrix = truth[0].matrix
            sources.append(crop(sample.performance, source[0].matrix, swaps.size))
            truths.append(crop(sample.truth, matrix, swaps.size))
            inner.append(crop(sample.inner.astype(np.uint8) * 255, matrix, swaps.size) > 127)
    faces = torch.from_numpy(np.stack(sources)).permute(0, 3, 1, 2).float().div(255)
    swapped = swaps.swap(faces, to=films.to).faces.permute(0, 2, 3, 1).float().cpu().numpy()
    drawn = np.rint(swapped * 255).astype(np.uint8)
    return Crops(np.stack(sources), drawn, np.stack(truths), np.stack(inner))


def _sharpness(swaps: Swaps, films: Films) -> float:
    shown = crops(swaps, films, JUDGED)
    moments = zip(shown.drawn, shown.truths, shown.inner, strict=True)
    return fmean(sharpness(*moment) for moment in moments if moment[2].any())


def rows(shown: Crops) -> Pixels:
    """(3·size, n·size, 3): the performance, the swap and the truth."""
    return np.vstack([np.hstack(list(row)) for row in (shown.sources, shown.drawn, shown.truths)])


def enlarged(picture: Pixels, width: int = 960) -> Pixels:
    """The picture at another width, as sharp as it is."""
    height = round(picture.shape[0] * width / picture.shape[1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def main(
    run: Annotated[Path, tyro.conf.Positional],
    films: Path = Path("demo"),
    picture: Path | None = None,
) -> None:
    """Judge one run.

    Args:
        run: Folder of the run.
        films: Folder of a finished demo that filmed the same two people.
        picture: PNG to write: performance, swap and truth, some frames side by side.
    """
    runtime = Runtime.best()
    runtime.apply()
    swaps, demo = load_generator(run, runtime=runtime), Films(films)
    trained = [row for row in Run(run).rows() if "seconds" in row][-1]
    print(f"{run}: {trained['step']} steps in {trained['seconds'] / 60:.1f} minutes")
    print("\n".join(figures(swaps, demo).lines()))
    if picture is not None:
        write_image(picture, enlarged(rows(crops(swaps, demo, SHOWN))))


if __name__ == "__main__":
    tyro.cli(main)
