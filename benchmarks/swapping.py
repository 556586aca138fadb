"""What a trained swapper is worth on a demo's held-out performance, against the true answer.

`python -m benchmarks.swapping RUN --films demo` converts the performance of a demo's folder with
the generator of another run that learnt the same two people, and judges it as the demo does.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
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
    Judgement,
    MeanFace,
    Rivals,
    Sample,
    judge,
    read_samples,
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


def lines(judgement: Judgement) -> list[str]:
    """The figures as a table."""
    out = [f"{'':14} {'PSNR':>7} {'SSIM':>7} {'to B':>7} {'to A':>7} {'nearer B':>9}"]
    for who in ("swap", "copy_source", "mean_face"):
        score = getattr(judgement.scores.crop, who)
        like = getattr(judgement.identity, who)
        out.append(
            f"{who:14} {score.psnr:7.2f} {score.ssim:7.3f} {like.to_target:7.2f} "
            f"{like.to_source:7.2f} {like.nearer:9.0%}"
        )
    return out


def rows(swaps: Swaps, films: Films) -> NDArray[np.uint8]:
    """(3·size, n·size, 3): the performance, the swap and the truth, as aligned crops."""
    performed, given = Tracker(), Tracker()
    sources, truths = [], []
    for sample in films.samples(SHOWN)[:SHOWN]:
        source, truth = performed.find(sample.performance), given.find(sample.truth)
        if source and truth:
            sources.append(crop(sample.performance, source[0].matrix, swaps.size))
            truths.append(crop(sample.truth, truth[0].matrix, swaps.size))
    faces = torch.from_numpy(np.stack(sources)).permute(0, 3, 1, 2).float().div(255)
    swapped = swaps.swap(faces, to=films.to).faces.permute(0, 2, 3, 1).float().numpy()
    drawn = list(np.rint(swapped * 255).astype(np.uint8))
    return np.vstack([np.hstack(row) for row in (sources, drawn, truths)])


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
    judgement = judge(demo.samples(), demo.rivals(swaps), to=demo.to, how=How())
    trained = [row for row in Run(run).rows() if "seconds" in row][-1]
    print(f"{run}: {trained['step']} steps in {trained['seconds'] / 60:.1f} minutes")
    print("\n".join(lines(judgement)))
    if picture is not None:
        write_image(picture, enlarged(rows(swaps, demo)))


if __name__ == "__main__":
    tyro.cli(main)
