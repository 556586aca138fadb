"""The families by name, one line each, and how a trained one is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from changeling.errors import UserError
from changeling.generators import autoencoder, classic
from changeling.generators.protocols import Swaps
from changeling.training import Run, Runtime


@dataclass(frozen=True)
class Family:
    """A family: its configuration's class, and its learner's, made from one and a runtime."""

    config: type[Any]
    learner: type[Any]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "autoencoder": Family(autoencoder.Config, autoencoder.Autoencoder),
        "classic": Family(classic.Config, classic.Classic),
    }
)
"""The families by name; the first one is the default of everything."""


def family(name: str) -> Family:
    """Return the family of that name; raises `UserError` when there is none."""
    if name not in FAMILIES:
        raise UserError(f"there is no family {name!r}: give one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def load_generator(folder: Path, *, runtime: Runtime | None = None) -> Swaps:
    """Open the trained generator of a run's folder.

    Raises `UserError` when the folder is no run, has no checkpoint yet, or it is damaged.
    """
    run = Run(folder)
    kind = family(run.family)
    checkpoint = run.load()
    if checkpoint is None:
        raise UserError(f"{folder} has no checkpoint yet: train it first")
    learner = kind.learner(run.config(kind.config), runtime=runtime or Runtime.best())
    try:
        learner.load_state_dict(checkpoint.state)
    except (KeyError, RuntimeError, ValueError) as error:
        raise UserError(
            f"the checkpoint in {folder} does not fit its config.json: restore the one it was "
            "trained with"
        ) from error
    swaps: Swaps = learner
    return swaps
