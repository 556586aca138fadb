"""Edits of what a run draws along attributes that are known of the actors it learnt from."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from changeling.faces import Identifier, Pictures, open_actors
from changeling.faces.datasets import CACHE, Part
from changeling.generators import DrawsStyles, Edits, load_with
from changeling.generators.edits import Directions, StyleEditor
from changeling.media import Tick, silent
from changeling.provenance import sha256
from changeling.study.drawing import Wish, in_parts, publish_pictures, publish_sheet
from changeling.study.reading import Reader, find_directions, teach_reader
from changeling.study.train import PictureData
from changeling.training import Run, Runtime, load_state, save_state

KEPT = "directions.safetensors"
"""The file in a run's folder that keeps what takes a while to find."""
AMOUNTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Edits of a sheet, in deviations."""


@dataclass(frozen=True)
class Edit:
    """One edit of everything that is drawn."""

    attribute: str
    """Such as smile."""
    amount: float = 2.0
    """How much more of it, in its deviations among drawings; below 0 less."""


def draw_edits(
    run: Path, out: Path, wish: Wish, *, today: date, edit: Edit | None = None,
    overwrite: bool = False, runtime: Runtime | None = None, cache: Path = CACHE,
    tick: Tick = silent,
) -> None:  # fmt: skip
    """Publish a sheet of about `count` pictures: faces with less and more of each attribute.

    A row an attribute, each face five times, from two deviations less to two more. With an `edit`
    instead what `draw` publishes, so edited. Raises UserError as `draw` and `known_edits`, and when
    there is no such attribute.
    """
    generator: DrawsStyles = load_with(run, "draw_styles", runtime=runtime)
    editor = StyleEditor(generator, known_edits(run, generator, cache=cache, tick=tick)[1])
    if edit is not None:
        change = partial(editor.edit, attribute=edit.attribute, amount=edit.amount)
        pictures = in_parts(lambda count, seed: change(count, seed=seed), wish, tick)
        facts = (*wish.facts, ("edit", f"{edit.attribute} {edit.amount:+g}"))
        publish_pictures(pictures, run, out, facts, today=today, overwrite=overwrite)
        return
    faces = max(1, round(wish.count / len(AMOUNTS) / len(editor.attributes)))
    publish_sheet(edit_grid(editor, faces, wish.seed), run, out, wish, today, overwrite)
    tick(wish.count, wish.count)


def edit_grid(editor: Edits, faces: int, seed: int) -> Tensor:
    """(attributes, faces · amounts, channels, s, s) 0…1: a row each, face by face."""
    rows = []
    for name in editor.attributes:
        shown = [editor.edit(faces, seed=seed, attribute=name, amount=x) for x in AMOUNTS]
        rows.append(torch.stack(shown, dim=1).flatten(0, 1))
    return torch.stack(rows)


def known_edits(
    run: Path, generator: DrawsStyles, *, cache: Path = CACHE, tick: Tick = silent
) -> tuple[Reader, Directions]:
    """What reads the attributes off crops, and where in the run's styles each grows.

    Found out from the actors that the run learnt from, and kept in its folder until its checkpoint
    or the identity network is another. Raises UserError when the run learnt no rendered actors.
    """
    identifier = Identifier.load()
    made_of = [sha256(run / "checkpoint.safetensors"), identifier.name]
    path = run / KEPT
    if path.exists():
        kept = load_state(path, mend="delete it, and it is made again")
        if kept["made_of"] == made_of:
            return _unpacked(kept["found"], identifier)
    learnt, rest = (actors_of(run, part, cache=cache, tick=tick) for part in ("train", "test"))
    reader = teach_reader(learnt, rest, identifier)
    found = find_directions(generator, reader)
    save_state(path, {"made_of": made_of, "found": _packed(reader, found)})
    return reader, found


def actors_of(run: Path, part: Part, *, cache: Path = CACHE, tick: Tick = silent) -> Pictures:
    """The rendered actors that a run learnt from, or those kept back; raises as `known_edits`."""
    return open_actors(Run(run).data(PictureData).name, part=part, cache=cache, tick=tick)


def _packed(reader: Reader, found: Directions) -> dict[str, Any]:
    return {
        "attributes": reader.attributes,
        "legible": reader.explained,
        "coefficients": torch.from_numpy(reader.coefficients),
        "steps": found.steps,
        "deviations": found.deviations,
        "explained": found.explained,
    }


def _unpacked(kept: dict[str, Any], identifier: Identifier) -> tuple[Reader, Directions]:
    names = kept["attributes"]
    coefficients = kept["coefficients"].numpy()
    reader = Reader(names, kept["legible"], identifier, coefficients)
    return reader, Directions(names, kept["steps"], kept["deviations"], kept["explained"])
