"""Which films of a study people rate, and what each is compared with."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from changeling.errors import UserError
from changeling.media import is_image, probe
from changeling.provenance import sha256
from changeling.study.results import CellResult, Shown
from changeling.training import from_json

TRUTH = "the truth"
"""What the rendered true answers are called where the swaps have the name of a family."""

Reference = str
"""Kind of what a clip is compared with: performance or target."""


@dataclass(frozen=True)
class Clip:
    """A film that people rate without being told what it is."""

    digest: str
    """SHA-256 of the film."""
    family: str
    """What made it, or TRUTH."""
    cell: str
    """Whose film it is; a truth that several cells show is the first one's."""
    data: str
    """On what the cell was trained."""
    name: str
    """Its name in the study; clips of the same data and name show the same performance."""


@dataclass(frozen=True)
class Exhibit:
    """A clip with its files."""

    clip: Clip
    film: Path
    references: Mapping[Reference, Path]
    """What it may be compared with; the same for a truth as for its swaps."""


def cells_of(study: Path) -> tuple[CellResult, ...]:
    """The cells of a study that have a result, by name. Raises UserError where there is none."""
    paths = sorted(study.glob("cells/*/result.json"))
    if not paths:
        raise UserError(
            f"{study} holds no results of a study (cells/*/result.json): give the folder in which "
            "`changeling study run` has finished."
        )
    return tuple(_read(path) for path in paths)


def exhibits_of(study: Path) -> tuple[Exhibit, ...]:
    """All swaps of a study and each true answer once, in the order of their cells.

    A film that several cells show, such as the performance itself as a baseline, is the first
    one's.

    Raises UserError when the folder holds no results or no swap, and for a film that is missing
    or cannot be read.
    """
    shown = [(cell, one) for cell in cells_of(study) for one in cell.shown]
    references: dict[tuple[str, str], dict[Reference, Path]] = {}
    for cell, one in shown:
        if one.kind in ("performance", "target"):
            known = references.setdefault((cell.data, one.clip), {})
            known.setdefault(one.kind, _checked(study, one))
    exhibits: dict[str, Exhibit] = {}
    for cell, one in _rated(shown):
        film = _checked(study, one)
        family = TRUTH if one.kind == "truth" else cell.family
        clip = Clip(sha256(film), family, cell.cell, cell.data, one.clip)
        references_of = references.get((cell.data, one.clip), {})
        exhibits.setdefault(clip.digest, Exhibit(clip, film, references_of))
    if all(exhibit.clip.family == TRUTH for exhibit in exhibits.values()):
        raise UserError(f"{study} shows no swaps: only a study whose cells show films is rated.")
    return tuple(exhibits.values())


def _rated(shown: list[tuple[CellResult, Shown]]) -> Iterator[tuple[CellResult, Shown]]:
    """The swaps, and of the truths of one data and clip the first."""
    seen: set[tuple[str, str]] = set()
    for cell, one in shown:
        if one.kind == "truth" and (cell.data, one.clip) not in seen:
            seen.add((cell.data, one.clip))
            yield cell, one
        elif one.kind == "swap":
            yield cell, one


def _read(path: Path) -> CellResult:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read ({error}): delete its folder and run the study again."
        ) from error
    return from_json(CellResult, data, where=str(path))


def _checked(study: Path, shown: Shown) -> Path:
    """The file of a picture or a film that is there and opens, within the study's folder."""
    path = study / shown.file
    if not path.is_file() or not path.resolve().is_relative_to(study.resolve()):
        raise UserError(
            f"{path}: the study shows this {shown.kind} of clip {shown.clip!r}, but it is missing; "
            "put it back or run the study again."
        )
    if not is_image(path):
        probe(path)
    return path
