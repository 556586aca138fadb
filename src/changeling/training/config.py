"""Nested frozen dataclasses to JSON and back, with a sentence for whatever does not fit."""

import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from changeling.errors import UserError

Config = TypeVar("Config")


def to_json(config: object) -> dict[str, object]:
    """Return a configuration as what JSON knows: tuples as lists, paths and enums as their text."""
    assert is_dataclass(config), f"{config!r} is no dataclass"
    return {field.name: _encode(getattr(config, field.name)) for field in fields(config)}


def from_json(cls: type[Config], data: object, *, where: str = "configuration") -> Config:
    """Build a configuration of class `cls` from `to_json`'s answer; absent fields get defaults.

    `where` names the file in the sentence of the `UserError` raised when something does not fit.
    """
    value: Config = _decode(cls, data, where)
    return value


def adjusted(config: Config, settings: Sequence[str]) -> Config:
    """Return a configuration with fields set by texts such as "norm=group", "weights.hinge=1".

    A value is JSON (lists for tuples, null for None) or else text. Raises UserError for a field
    that there is not, and for a value that does not fit.
    """
    for setting in settings:
        data = to_json(config)
        name, equals, text = setting.partition("=")
        *path, last = name.split(".")
        part: object = data
        for step in path:
            part = part.get(step) if isinstance(part, dict) else None
        if not equals or not isinstance(part, dict) or last not in part:
            known = ", ".join(_names(data))
            raise UserError(
                f"there is no setting {setting!r}: give NAME=VALUE, NAME one of {known}"
            )
        part[last] = _value(text)
        config = from_json(type(config), data, where=f"the setting {setting!r}")
    return config


def _names(data: Mapping[str, object], before: str = "") -> list[str]:
    """All fields, those within others by their path."""
    names: list[str] = []
    for name, value in data.items():
        inner = _names(value, f"{before}{name}.") if isinstance(value, dict) else []
        names += inner or [before + name]
    return names


def _value(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _encode(value: object) -> object:
    if is_dataclass(value):
        return to_json(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    assert value is None or isinstance(value, bool | int | float | str), f"no JSON for {value!r}"
    return value


# Any here and below: a type read from a field's hint, JSON, and a value of that type.
def _decode(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(typing.get_args(kind), data, where)
    if origin is tuple:
        return _decode_tuple(typing.get_args(kind), data, where)
    if origin is Literal:
        if data in typing.get_args(kind):
            return data
        raise _misfit(kind, data, where)
    if is_dataclass(kind):
        return _decode_dataclass(kind, data, where)
    return _decode_plain(kind, data, where)


def _decode_dataclass(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
    if not isinstance(data, dict):
        raise _misfit(kind, data, where)
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    unknown = [name for name in data if name not in names]
    if unknown:
        raise UserError(
            f"{where} has the unknown field {unknown[0]!r}: remove it, the known ones are "
            + ", ".join(names)
        )
    values = {name: _decode(hints[name], x, f"{where}, {name}") for name, x in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise UserError(f"{where} is incomplete ({error}): add the missing field") from error


def _decode_union(kinds: tuple[Any, ...], data: Any, where: str) -> Any:  # noqa: ANN401
    for kind in kinds:
        try:
            return _decode(kind, data, where)
        except UserError:
            continue
    # The kinds are known as the program runs, and the bar of X | Y joins none that are in a tuple.
    raise _misfit(Union[kinds], data, where)  # noqa: UP007


def _decode_tuple(kinds: tuple[Any, ...], data: Any, where: str) -> Any:  # noqa: ANN401
    if not isinstance(data, list):
        raise _misfit(tuple, data, where)
    if len(kinds) == 2 and kinds[1] is ...:
        kinds = (kinds[0],) * len(data)
    if len(kinds) != len(data):
        raise UserError(f"{where} has {len(data)} entries instead of {len(kinds)}: correct it")
    pairs = enumerate(zip(kinds, data, strict=True))
    return tuple(_decode(kind, item, f"{where}[{i}]") for i, (kind, item) in pairs)


def _decode_plain(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
    if kind in (types.NoneType, None) and data is None:
        return None
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if isinstance(kind, type) and issubclass(kind, Enum | Path):
        try:
            return kind(data)
        except (ValueError, TypeError) as error:
            raise _misfit(kind, data, where) from error
    if isinstance(kind, type) and type(data) is kind:
        return data
    raise _misfit(kind, data, where)


def _misfit(kind: Any, data: object, where: str) -> UserError:  # noqa: ANN401
    if typing.get_origin(kind) is Literal:
        known = ", ".join(str(one) for one in typing.get_args(kind))
        return UserError(f"{where} is {data!r} but must be one of {known}: correct it")
    name = getattr(kind, "__name__", str(kind))
    return UserError(f"{where} is {data!r} but must be of type {name}: correct it")
