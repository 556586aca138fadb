"""Weights that ship: half floats in one file, with a JSON beside that holds their SHA-256."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor, nn

from changeling.errors import UserError
from changeling.training.files import replacing


def write_weights(net: nn.Module, out: Path, about: Mapping[str, object]) -> None:
    """Replaces `out` and the .json beside it, which holds `about` and the SHA-256 of `out`.

    Raises UserError when the folder cannot be written.
    """
    state = net.state_dict()
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
    return {name: value.float() for name, value in load(data).items()}, about


def _half(value: Tensor) -> Tensor:
    """Counters stay whole numbers: half floats end at 65,504."""
    return value.half() if value.is_floating_point() else value
