"""A nested state of tensors, numbers and text in one safetensors file; never a pickle."""

import json
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from changeling.errors import UserError
from changeling.training.files import replacing

State = Any
"""Dictionaries (keys text or int), lists and tuples of tensors, numbers, text and None."""


def save_state(path: Path, state: State) -> None:
    """Write `state` beside and rename, so that a crash leaves the old file readable.

    The tensors are numbered; the nesting is JSON in the file's header, so the two cannot part.
    """
    tensors: dict[str, Tensor] = {}
    nesting = json.dumps(_pack(state, tensors))
    with replacing(path) as beside:
        try:
            save_file(tensors, beside, metadata={"state": nesting})
        except safetensors.SafetensorError as error:
            raise OSError(str(error)) from error


def load_state(path: Path, *, mend: str) -> State:
    """Read what `save_state` wrote, on the CPU.

    Raises `UserError` when the file is truncated or not ours; `mend` ends the sentence.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            nesting = json.loads(file.metadata()["state"])
            # The open file is no dict: it has keys() but cannot be iterated.
            return _unpack(nesting, {key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"the checkpoint {path} is truncated or damaged: {mend}") from error


def _pack(value: State, tensors: dict[str, Tensor]) -> object:
    """Return `value` as JSON; what JSON lacks becomes a one-key object that names its kind."""
    if isinstance(value, Tensor):
        key = f"{len(tensors):06d}"
        # Clone: safetensors refuses tensors that share memory.
        tensors[key] = value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        return {"tensor": key}
    if isinstance(value, dict):
        return {"dict": [[key, _pack(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_pack(item, tensors) for item in value]
    assert value is None or isinstance(value, bool | int | float | str), f"cannot save {value!r}"
    return value


# Any, because what JSON holds is known only by looking.
def _unpack(value: Any, tensors: dict[str, Tensor]) -> State:  # noqa: ANN401
    if isinstance(value, list):
        return [_unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(_unpack(item, tensors) for item in content)
    return {key: _unpack(item, tensors) for key, item in content}
