"""Performances recorded by a phone: CSV files of ARKit blend shapes, as of Live Link Face."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np

from changeling.actors.acting import ACTIONS
from changeling.actors.model import Floats
from changeling.errors import UserError

TURNS = {"HeadYaw": 1, "HeadPitch": -1, "HeadRoll": 1}
"""Columns of the head's rotation in radians, with the sign that `Performance.turn` gives them."""
OPTIONAL = ("tongueOut", *TURNS)
"""Columns that may be missing: they are 0 then."""
_RATES = [Fraction(k) for k in (24, 25, 30, 50, 60)] + [
    Fraction(k, 1001) for k in (24000, 30000, 60000)
]
"""Usual frames a second, which times of six decimal places tell apart."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a recording says of each frame; see `Performance`."""

    actions: Floats
    turn: Floats
    gaze: Floats
    rate: Fraction | None
    """Frames a second by its column Timecode; None when that does not tell."""


def read_recording(path: Path) -> Recording:
    """Read a CSV; columns are found by name, whatever their case and order.

    Raises UserError when it is no CSV of blend shapes, a column is missing, or a row is broken.
    """
    rows = _rows(path)
    header = [name.strip().lower() for name in next(rows, (0, []))[1]]
    missing = [n for n in ACTIONS if n.lower() not in header and n not in OPTIONAL]
    if missing:
        raise UserError(
            f"{path} has no column {missing[0]!r}: "
            "give a CSV with the 52 ARKit blend shapes, as Live Link Face records them."
        )
    names = [*ACTIONS, *TURNS]
    table, times = list[list[float]](), list[str]()
    for line, row in rows:
        table.append(_numbers(row, header, names, f"{path} line {line}"))
        times.append(row[header.index("timecode")] if "timecode" in header else "")
    if not table:
        raise UserError(f"{path} holds no frame: give a CSV with a row for each frame.")
    values = np.array(table, np.float32)
    actions, turn = values[:, : len(ACTIONS)].clip(0, 1), values[:, len(ACTIONS) :]
    turn = turn * np.array([*TURNS.values()], np.float32)
    return Recording(actions, turn, _gaze(actions), _rate(times))


def write_recording(path: Path, times: Sequence[float], actions: Floats, turn: Floats) -> None:
    """Write (n, 52) `actions` and (n, 3) turns of a `Performance` as Live Link Face does.

    `times` are seconds. What is at `path` is replaced, so give one from `media.writing`.
    """
    signed = turn * np.array([*TURNS.values()])
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        names = [name[0].upper() + name[1:] for name in ACTIONS]
        out.writerow(["Timecode", "BlendShapeCount", *names, *TURNS])
        for time, *row in zip(times, actions, signed, strict=True):
            out.writerow([f"{time:.6f}", len(ACTIONS), *(f"{x:.6f}" for x in np.concatenate(row))])


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty, with the number of its line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as a CSV of blend shapes: {error}.") from error


def _numbers(row: list[str], header: list[str], names: list[str], where: str) -> list[float]:
    """The columns of these names; 0 for one that is not in the header."""
    if len(row) != len(header):
        raise UserError(
            f"{where} has {len(row)} fields instead of {len(header)}: mend or remove that line."
        )
    fields = dict(zip(header, row, strict=True))
    try:
        values = [float(fields.get(name.lower(), 0)) for name in names]
    except ValueError as error:
        raise UserError(f"{where} is broken ({error}): mend or remove that line.") from error
    if not np.isfinite(values).all():
        raise UserError(f"{where} holds a number that is not finite: mend or remove that line.")
    return values


def _rate(times: Sequence[str]) -> Fraction | None:
    """Frames a second of times in seconds or as HH:MM:SS:FF.fff; None when they do not tell."""
    if all(":" in time for time in times):
        # How many frames a timecode counts in a second is not said, so rows are counted instead.
        seconds = [len(list(rows)) for _, rows in groupby(times, lambda time: time.strip()[:8])]
        return Fraction(round(median(seconds[1:-1]))) if len(seconds) > 2 else None
    try:
        step = median(np.diff([float(time) for time in times]).tolist())
    except ValueError:  # StatisticsError, for a single row, is one too
        return None
    if not step > 0 or not np.isfinite(step):
        return None
    nearest = min(_RATES, key=lambda rate: abs(rate * step - 1))
    near = abs(nearest * step - 1) < 1e-4
    return nearest if near else Fraction(1 / step).limit_denominator(1000) or None


def _gaze(actions: Floats) -> Floats:
    """Where both eyes look, (n, 2) radians to the side and up, from the eight eyeLook actions."""

    def look(way: str, side: str) -> Floats:
        return actions[:, ACTIONS.index(f"eyeLook{way}{side}")]

    left = look("Out", "Left") - look("In", "Left")
    right = look("In", "Right") - look("Out", "Right")
    up = sum(look("Up", side) - look("Down", side) for side in ("Left", "Right"))
    return np.stack([0.25 * (left + right), 0.2 * up], -1).astype(np.float32)
