"""Weights that ship: half floats in one file, with a JSON beside that holds their SHA-256."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor, nn

from changeling.errors import UserError
from changeling.training.files import replacing


def write_weights(net: nn.Module, out: Path, about: Mapping[str, object]) -> None:
    """Replaces `out` and the .json beside it, which holds `about` and the SHA-256 of `out`.

    Raises UserError when the folder cannot be written.
    """
    _write(net.state_dict(), out, about)


def write_arrays(
    arrays: Mapping[str, NDArray[np.generic]], out: Path, about: Mapping[str, object]
) -> None:
    """The same for arrays."""
    _write({name: torch.from_numpy(value) for name, value in arrays.items()}, out, about)


def read_arrays(
    path: Path, *, network: str
) -> tuple[dict[str, NDArray[np.generic]], dict[str, Any]]:
    """What `write_arrays` wrote, as float32 and whole numbers, and its JSON; see `read_weights`."""
    state, about = read_weights(path, network=network)
    return {name: value.numpy() for name, value in state.items()}, about


def _write(state: Mapping[str, Tensor], out: Path, about: Mapping[str, object]) -> None:
    data = save({name: _half(value).contiguous() for name, value in state.items()})
    text = json.dumps({"sha256": hashlib.sha256(data).hexdigest(), **about}, indent=2)
    with replacing(out) as beside:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
    with replacing(out.with_suffix(".json")) as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def read_weights(path: Path, *, network: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_weights` wrote, as float32, and its JSON.

    Raises UserError when they are missing or not those that were written; `network` is what
    `changeling teach` calls it.
    """
    try:
        data = path.read_bytes()
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        expected = about["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: {error}; write it with `changeling teach {network}`.") from None
    if hashlib.sha256(data).hexdigest() != expected:
        raise UserError(
            f"{path} is not the file that was installed (its SHA-256 differs); "
            "install changeling again."
        )
    return {name: _whole(value) for name, value in load(data).items()}, about


def _whole(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _half(value: Tensor) -> Tensor:
    """Counters stay whole numbers: half floats end at 65,504."""
    return value.half() if value.is_floating_point() else value
