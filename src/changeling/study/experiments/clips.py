"""What the page of a study of swaps shows of its clips: faces beside each other, and films."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from changeling.faces import Face, crop
from changeling.media import Pixels, probe, read_frames
from changeling.study.experiments.experiment import Findings
from changeling.study.films import seen_in, strip
from changeling.study.look import Look
from changeling.study.page import Comparison, Film, Films, Picture, Pictures, Row, Section
from changeling.study.results import CellResult

_TILE = 160
"""Side of a face in pixels."""
_AT = (0.25, 0.75)
"""Which moments of a clip are shown."""


def faces(findings: Findings, meaning: str) -> Pictures:
    """A row for some moments of each pair's first clips: performance, every swap, truth."""
    swaps = [one for one in findings.results if one.seed == findings.results[0].seed and one.shown]
    columns = ("performance", *dict.fromkeys(one.family for one in swaps), "truth")
    return Pictures("Faces", meaning, columns, tuple(_rows(findings.folder, swaps)))


def _rows(folder: Path, swaps: Sequence[CellResult]) -> Iterator[Row]:
    look = Look()
    for data in dict.fromkeys(one.data for one in swaps):
        own = [one for one in swaps if one.data == data]
        for clip in _directions(own[0]):
            films = [
                _film(folder, own[0], clip, "performance"),
                *(_film(folder, one, clip, "swap") for one in own),
                _film(folder, own[0], clip, "truth"),
            ]
            for share in _AT:
                moment = _moment(films, share)
                face = look.at(moment[0])
                if face is not None:
                    yield Row(f"{clip}, {share:.0%}", _aligned(moment, face, films))


def _directions(cell: CellResult) -> list[str]:
    """The first clip of each direction."""
    clips = list(dict.fromkeys(one.clip for one in cell.shown if one.kind == "swap"))
    return list({clip.rpartition("-")[0]: clip for clip in reversed(clips)}.values())[::-1]


def _film(folder: Path, cell: CellResult, clip: str, kind: str) -> Path:
    (file,) = [one.file for one in cell.shown if one.clip == clip and one.kind == kind]
    return folder / file


def _moment(films: Sequence[Path], share: float) -> list[Pixels]:
    wanted = round(share * ((probe(films[0]).frames or 1) - 1))
    return [next(one.pixels for one in read_frames(film) if one.index == wanted) for film in films]


def _aligned(moment: Sequence[Pixels], face: Face, films: Sequence[Path]) -> Picture:
    tiles = [crop(pixels, face.matrix, _TILE) for pixels in moment]
    unique = list(dict.fromkeys(films))
    return Picture.sign(strip(tiles, least=_TILE), seen_in(unique, "faces"), "aligned faces")


def slider(findings: Findings, cell: CellResult, clip: str) -> Comparison:
    """A frame of a swap over the same frame of the truth."""
    films = [_film(findings.folder, cell, clip, kind) for kind in ("swap", "truth")]
    shown = _moment(films, 0.5)
    left, right = (
        Row(name, Picture.sign(pixels, seen_in([film], name), f"{clip}, {name}"))
        for name, pixels, film in zip((cell.family, "truth"), shown, films, strict=True)
    )
    return Comparison(f"{cell.family} and the truth", f"{clip}: draw the slider.", left, right)


def films(findings: Findings, cell: CellResult, clip: str) -> Films:
    """Performance, swap and truth of a clip."""
    shown = tuple(
        Film(label, _film(findings.folder, cell, clip, kind))
        for label, kind in (
            ("performance", "performance"),
            (cell.family, "swap"),
            ("truth", "truth"),
        )
    )
    return Films(f"{cell.family}, {clip}", "", shown)


def closer(findings: Findings, family: str, title: str) -> Iterator[Section]:
    """A slider and films of a family, where it has any."""
    shown = [one for one in findings.results if one.family == family and one.shown]
    if shown:
        clip = first_clip(shown[0])
        parts = slider(findings, shown[0], clip), films(findings, shown[0], clip)
        yield Section(title, "", parts)


def first_clip(cell: CellResult) -> str:
    """The clip that is shown as a film."""
    return next(one.clip for one in cell.shown if one.kind == "swap")
