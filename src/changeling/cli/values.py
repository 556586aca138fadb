"""The kinds of values that flags take, each with the sentence for a text that does not fit."""

from collections.abc import Callable
from math import isfinite, nan
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from changeling.errors import UserError


def _kind(
    metavar: str, read: Callable[[str], Any], show: Callable[[Any], str] = str
) -> PrimitiveConstructorSpec[Any]:
    """How tyro reads one text as a value and shows the value as a default."""
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda texts: read(texts[0]),
        is_instance=lambda value: True,
        str_from_instance=lambda value: [show(value)],
    )


def _seed(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise ValueError(f"{text!r} is no seed; give a whole number such as 7")


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise ValueError(f"{text!r} is no count; give a whole number above 0")


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if 0 < amount < float("inf"):
        return amount
    raise ValueError(f"{text!r} is no amount; give a number above 0 such as 2.5")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = nan
    if isfinite(number):
        return number
    raise ValueError(f"{text!r} is no number; give one such as 1.5 or -2")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    try:
        return _count(width), _count(height)
    except ValueError:
        raise ValueError(f"{text!r} is no size; give one such as 640x360") from None


def _named(text: str, example: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if name and equals and path:
        return name, Path(path)
    raise ValueError(f"{text!r} names no person; give a name and {example}")


def _person(text: str) -> tuple[str, Path]:
    return _named(text, "a folder such as c=faces/c")


def _likeness(text: str) -> tuple[str, Path]:
    return _named(text, "a picture such as Ada=ada.jpg")


def _change(text: str) -> tuple[str, tuple[tuple[float, float], ...]]:
    """smile=0.8, or a curve of seconds and strengths: smile=0:0,2:1."""
    name, _, curve = text.partition("=")
    points = [point.rpartition(":") for point in curve.split(",")]
    try:
        read = tuple((_number(time) if time else 0.0, _number(size)) for time, _, size in points)
    except ValueError:
        read = ()
    times = [time for time, _ in read]
    if (
        name
        and read
        and times == sorted(set(times))
        and (len(read) == 1 or curve.count(":") == len(read))
    ):
        return name, read
    raise ValueError(
        f"{text!r} is no change; give a name and a strength such as smile=0.8, or a curve of "
        "rising seconds and strengths such as smile=0:0,2:1"
    )


_seeds = _kind("SEED", _seed)
_counts = _kind("COUNT", _count)
_amounts = _kind("NUMBER", _amount, "{:g}".format)
# tyro would show "(default: None)", the docstrings say what happens instead.
_optional = tyro.conf.arg(help_behavior_hint="(optional)")

Seed = Annotated[int, _seeds]
"""A whole number, 0 or more."""
OptionalSeed = Annotated[int | None, _seeds, _optional]
"""A seed or None."""
Count = Annotated[int, _counts]
"""A whole number, 1 or more."""
OptionalCount = Annotated[int | None, _counts, _optional]
"""A count or None."""
Amount = Annotated[float, _amounts]
"""A number above 0."""
OptionalAmount = Annotated[float | None, _kind("NUMBER", _amount), _optional]
"""A number above 0 or None."""
Number = Annotated[float, _kind("NUMBER", _number, "{:g}".format)]
"""Any number."""
OptionalPath = Annotated[Path | None, _kind("PATH", Path), _optional]
"""A path or None."""
OptionalText = Annotated[str | None, _kind("TEXT", str), _optional]
"""A text or None."""
Size = Annotated[tuple[int, int], _kind("WIDTHxHEIGHT", _size, "{0[0]}x{0[1]}".format)]
"""Width and height in pixels."""
Person = Annotated[tuple[str, Path], _kind("NAME=FOLDER", _person)]
"""A person's name and face set."""
Likeness = Annotated[tuple[str, Path], _kind("NAME=PICTURE", _likeness)]
"""A person's name and a picture of that person alone."""
Wished = Annotated[tuple[str, tuple[tuple[float, float], ...]], _kind("NAME=STRENGTH", _change)]
"""What is changed, with the curve (seconds, strength) of how strongly."""
Out = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
"""A path that is written, also given by -o."""


def check_kept(path: Path, *, overwrite: bool) -> None:
    """Raise UserError before work is done that would end at a file that is kept."""
    if path.exists() and not overwrite:
        raise UserError(f"{path}: this file exists already; choose another or add --overwrite.")
