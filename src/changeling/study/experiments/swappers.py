"""Ways to swap the clips of a pair: a trained network, and what needs no training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from changeling.converting import Donor, convert
from changeling.faces import fit_video
from changeling.generators import Swaps
from changeling.measuring import CopySource, MeanFace
from changeling.provenance import Ingredient
from changeling.study.experiments.experiment import Place
from changeling.study.experiments.material import Clip, Films, Material
from changeling.study.graphics import Footage, Method, swap_by_fit
from changeling.study.stages import Clock
from changeling.study.train import donor_of
from changeling.training import Run

BASELINES = ("performer", "performer in their colours", "mean face")
"""What needs neither training nor a fit: the performance left as it is, the performer's face in the
target's colours, and the target's mean face."""
FITTED = ("faceforensics", "graphics")
"""What needs a fit alone: the swap of FaceForensics++, and the swap by fitted shapes."""


class Swapper(Protocol):
    """A way to swap the clips of a pair."""

    def film(self, clip: Clip, out: Path) -> Path:
        """Swap a clip into `out`, unless it is there; returns where the film lies."""
        ...

    def generator(self, clip: Clip) -> Swaps | None:
        """The network, or what stands for one, whose bare faces are measured too."""
        ...


@dataclass(frozen=True, eq=False)
class Network:
    run: Run
    swaps: Swaps
    material: Material
    place: Place

    def film(self, clip: Clip, out: Path) -> Path:
        if not out.exists():
            convert(
                clip.performance, out, self.swaps, to=clip.to,
                donor=donor_of(self.run.folder, clip.to), today=self.place.today,
                tracker=self.material.tracker(),
            )  # fmt: skip
        return out

    def generator(self, clip: Clip) -> Swaps | None:
        # Its bare faces are compared as aligned crops, which it has not learnt otherwise.
        return self.swaps if self.material.aligned else None


@dataclass(frozen=True)
class _Left:
    """The performance as it is."""

    def film(self, clip: Clip, out: Path) -> Path:
        return clip.performance

    def generator(self, clip: Clip) -> None:
        return None


@dataclass(frozen=True, eq=False)
class _Free:
    """A baseline of `measuring`, made of the target's training faces."""

    kind: type[CopySource] | type[MeanFace]
    films: Films
    place: Place

    def film(self, clip: Clip, out: Path) -> Path:
        faces = self.films.faces(clip.to)
        source = Ingredient(faces.source, faces.sha256, "inputTo")
        donor = Donor(faces.consent, self.kind.__name__, "", (source,))
        if not out.exists():
            convert(
                clip.performance, out, self.generator(clip), to=clip.to, donor=donor,
                today=self.place.today,
            )  # fmt: skip
        return out

    def generator(self, clip: Clip) -> Swaps:
        faces = self.films.faces(clip.to)
        return self.kind.from_faces(clip.to, faces.crops(), faces.masks())


@dataclass(frozen=True, eq=False)
class _Graphics:
    films: Films
    place: Place
    method: Method

    def film(self, clip: Clip, out: Path) -> Path:
        if not out.exists():
            lent = clip.target.with_suffix(".json")
            if not lent.exists():
                clock = Clock(f"fit {clip.target.name}", self.place.tell)
                fit_video(clip.target, today=self.place.today, tick=clock.tick).save(lent)
            footage = Footage(clip.performance, out, self.place.today)
            swap_by_fit(footage, lent, method=self.method)
        return out

    def generator(self, clip: Clip) -> None:
        return None


def swapper(name: str, films: Films, place: Place) -> Swapper:
    """One of BASELINES or FITTED."""
    ways: dict[str, Swapper] = {
        "performer": _Left(),
        "performer in their colours": _Free(CopySource, films, place),
        "mean face": _Free(MeanFace, films, place),
        "faceforensics": _Graphics(films, place, "faceforensics"),
        "graphics": _Graphics(films, place, "shape"),
    }
    return ways[name]
