"""The study attack: how often a swap passes a face verifier that refuses nearly all strangers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from changeling.faces import Identifier, Tracker, crop
from changeling.faces.renders import Renders, render_lessons
from changeling.measuring import Estimate, Verifier, calibrated
from changeling.media import read_frames, writing
from changeling.study.experiments import face_to_face
from changeling.study.experiments.experiment import Cell, Extent, Findings, Place, Study
from changeling.study.experiments.metrics import share
from changeling.study.experiments.pages import (
    best_sentence,
    by_clips,
    facts,
    families,
    mean_of,
    percent,
    ranked,
    table,
)
from changeling.study.experiments.running import (
    SETTINGS,
    Settings,
    as_planned,
    finished,
    open_study,
    read_settings,
)
from changeling.study.experiments.swapping import EVERY, Trained, Untrained
from changeling.study.look import Look
from changeling.study.page import Column, Curve, Curves, Page, Scores, Section, TableRow
from changeling.study.results import CellResult, Measurement
from changeling.study.stages import Clock
from changeling.training import Budget, from_json, to_json

NAME = "attack"
ACCEPTS = (0.01, 0.001)
"""Shares of strangers that the verifiers accept."""
ENROLLED = 5
"""Pictures by which the target is known, evenly spread over their training film."""
_SIDE = 64
_TABLE = (
    "Shares of all comparisons of a frame with five pictures of B from other footage. Performers "
    "are strangers to B; the true film is B in the same clothes, hair and light as the swap, so "
    "its share is what a perfect swap would reach."
)
_VERIFIER_TABLE = (
    "The project’s own identity network, set by {faces} actors whom it has not seen, each in two "
    "stylings, single pictures against single pictures. It knows actors only: the shares are no "
    "claim about any verifier of real people."
)
_VERIFIERS = "verifiers.json"


@dataclass(frozen=True)
class Verifiers:
    """What verifiers.json holds."""

    faces: int
    """Held-out actors by which they were set."""
    set: tuple[Verifier, ...]


@dataclass(frozen=True)
class Attack:
    """The swaps of a cell of face-to-face, shown to the verifiers."""

    swap: Trained | Untrained

    @property
    def name(self) -> str:
        """As of the cell that made the swaps."""
        return self.swap.name

    @property
    def family(self) -> str:
        """As of the cell that made the swaps."""
        return self.swap.family

    @property
    def data(self) -> str:
        """The pair."""
        return self.swap.data

    @property
    def seed(self) -> int:
        """As of the cell that made the swaps."""
        return self.swap.seed

    @property
    def budget(self) -> Budget | None:
        """As of the cell that made the swaps."""
        return self.swap.budget

    def within(self, budget: Budget) -> Self:
        """With swaps of another budget."""
        return type(self)(self.swap.within(budget))

    def prepare(self, place: Place) -> None:
        """Film the pair, and set the verifiers by actors whom nobody has seen."""
        swaps, settings = shown_study(place)
        open_study(swaps.folder, settings)
        self.swap.prepare(swaps)
        path = place.folder / _VERIFIERS
        if not path.exists():
            with writing(path) as beside:
                verifiers = to_json(_verifiers(place))
                beside.write_text(json.dumps(verifiers, indent=1) + "\n", encoding="utf-8")

    def run(self, place: Place) -> CellResult:
        """Ask the verifiers about every clip: the swap, the performance, the truth."""
        swaps, settings = shown_study(place)
        result = finished(as_planned(self.swap, settings), swaps)
        if result.state != "done":
            return result
        films = self.swap.material.films(swaps)
        verifiers, network = read_verifiers(place.folder).set, Identifier.load()
        measurements: list[Measurement] = []
        for clip in films.clips:
            enrolled = network.embed(films.some(clip.to, ENROLLED))
            files = {
                one.kind: swaps.folder / one.file for one in result.shown if one.clip == clip.name
            }
            for kind in ("swap", "performance", "truth"):
                shown = network.embed(_crops(files[kind]))
                measurements += [
                    Measurement(_metric(kind, one.accepts), one.passes(enrolled, shown), clip.name)
                    for one in verifiers
                ]
        return CellResult(
            self.name, self.family, self.data, self.seed, "done", steps=result.steps,
            seconds=result.seconds, measurements=tuple(measurements),
        )  # fmt: skip


def shown_study(place: Place) -> tuple[Place, Settings]:
    """Where the swaps are made, and how: as they were there, or by the steps that are repeated."""
    swaps = place.of(face_to_face.NAME)
    own, made = (
        read_settings(folder).steps if (folder / SETTINGS).is_file() else ()
        for folder in (place.folder, swaps.folder)
    )
    return swaps, Settings(face_to_face.NAME, place.extent, own or made)


def _metric(kind: str, accepts: float) -> str:
    return f"{kind}_passes_{accepts:g}"


def _verifiers(place: Place) -> Verifiers:
    """Set by held-out actors as films show them, each in two stylings."""
    renders = Renders(
        60 if place.extent == "quick" else 200, first=90_000, wardrobe=40, frames=4, varied=False
    )
    clock = Clock("render held-out actors", place.tell)
    lessons = render_lessons(renders, place.folder / "renders", tick=clock.tick)
    look, found = Look(), []
    for row in range(len(lessons)):
        pixels = np.asarray(lessons.pictures[row])
        face = look.at(pixels)
        if face is not None:
            found.append((row, crop(pixels, face.matrix, _SIDE)))
    rows = np.array([row for row, _ in found])
    embeddings = Identifier.load().embed(np.stack([face for _, face in found]))
    return Verifiers(
        renders.faces, calibrated(embeddings, lessons.face[rows], lessons.styling[rows], ACCEPTS)
    )


def read_verifiers(folder: Path) -> Verifiers:
    """The verifiers of an attack's folder."""
    path = folder / _VERIFIERS
    data = json.loads(path.read_text(encoding="utf-8"))
    return from_json(Verifiers, data, where=str(path))


def _crops(film: Path) -> NDArray[np.uint8]:
    """(n, 64, 64, 3): the largest face of every so manyth frame that shows one."""
    tracker, found = Tracker(), [np.empty((0, _SIDE, _SIDE, 3), np.uint8)]
    for frame in read_frames(film):
        if frame.index % EVERY == 0:
            faces = tracker.find(frame.pixels)
            found += [crop(frame.pixels, face.matrix, _SIDE)[None] for face in faces[:1]]
    return np.concatenate(found)


def cells(extent: Extent) -> Sequence[Cell]:
    """Every cell of face-to-face."""
    return tuple(Attack(cell) for cell in face_to_face.swaps(extent))


def page(findings: Findings) -> Page:
    """How often each family gets past, beside strangers and the person themselves."""
    verifiers = read_verifiers(findings.folder)
    columns = {
        _metric(kind, accepts): share(f"{accepts:.1%}", "", words)
        for kind, words in (
            ("swap", "swaps that pass as B"),
            ("performance", "performers who pass as B"),
            ("truth", "true films of B that pass"),
        )
        for accepts in ACCEPTS
    }
    return Page(
        title="Attack: swaps before a face verifier",
        lead=tuple(_lead(findings)),
        headlines=(),
        sections=(
            Section("Who passes", "", (table(findings, columns, "", _TABLE), _chart(findings))),
            Section("The verifiers", "", (_set_table(verifiers),)),
        ),
        commands=(findings.command,),
        facts=facts(findings),
    )


def _lead(findings: Findings) -> Iterator[str]:
    for accepts in ACCEPTS:
        metric = _metric("swap", accepts)
        column = share(f"{accepts:.1%}")
        ranking = ranked(findings.results, families(findings.results), metric, column)
        if ranking:
            what = f"Passes most often where {accepts:.1%} of strangers are taken for the person"
            shares = [(name, percent(one)) for name, one in ranking]
            yield best_sentence(shares, by_clips(findings.results, metric), what, " %", 1)
        true = mean_of(findings.results, findings.results[0].family, _metric("truth", accepts))
        if true:
            yield f"The person’s own true film passes in {true.value:.1%} of its frames."


def _chart(findings: Findings) -> Curves:
    """How often each family gets past over how many strangers do."""

    def curve(family: str, kind: str, name: str) -> Curve:
        found = [
            (accepts, mean_of(findings.results, family, _metric(kind, accepts)))
            for accepts in sorted(ACCEPTS)
        ]
        points = tuple((100 * share, 100 * mean.value) for share, mean in found if mean)
        return Curve(name, points, dashed=kind != "swap")

    tried = families(findings.results)
    lines = [curve(family, "swap", family) for family in tried]
    lines.append(curve(tried[0], "performance", "performers"))
    lines.append(curve(tried[0], "truth", "true films of B"))
    return Curves(
        "Who passes", "", "strangers accepted, %", "passes, %", tuple(lines), findings.measure
    )


def _set_table(verifiers: Verifiers) -> Scores:
    columns = (
        Column("threshold", "cosine", "", 3),
        Column("pairs of strangers", "", "", 0),
        Column("accepted pairs of one person", "", "", 3),
    )
    rows = tuple(
        TableRow(
            f"accepts {one.accepts:.1%} of strangers",
            tuple(
                Estimate(value, value, value, 1)
                for value in (one.threshold, float(one.strangers), one.knows)
            ),
        )
        for one in verifiers.set
    )
    return Scores("", _VERIFIER_TABLE.format(faces=verifiers.faces), columns, rows)


ATTACK = Study(NAME, "How often does a swap pass a face verifier?", cells, page)
