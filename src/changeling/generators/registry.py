"""The families by name, one line each, and how a trained one is opened."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from changeling.errors import UserError
from changeling.generators import (
    autoencoder,
    classic,
    cyclegan,
    cyclegan_config,
    dcgan,
    ddpm,
    faceswapgan,
    restoring,
    separate,
    stylegan,
    supervised,
    vae,
    vae_pictures,
    vaegan,
)
from changeling.generators.protocols import Draws, FamilyConfig, Swaps, Task
from changeling.training import Run, Runtime


class Learns(Enum):
    """What a family learns from: the class of its batches."""

    PEOPLE = "people"
    """`PeopleBatch`: face sets of two or more people."""
    PICTURES = "pictures"
    """`PictureBatch`: a set of pictures, with or without classes."""


@dataclass(frozen=True)
class Family:
    """A family: what it learns from, its configuration's class, and its learner's."""

    learns: Learns
    config: type[FamilyConfig]
    learner: type[Any]
    """Made from a configuration and a runtime."""

    @property
    def presets(self) -> tuple[str, ...]:
        """Names of the configurations that a person can ask for."""
        methods = [name for name, one in vars(self.config).items() if isinstance(one, classmethod)]
        return tuple(sorted(set(methods) - {"tiny"}, key=lambda name: (name != "laptop", name)))

    @property
    def uses(self) -> tuple[str, ...]:
        """What a trained one can do."""
        return tuple(word for name, word in _USES.items() if hasattr(self.learner, name))

    @property
    def summary(self) -> str:
        """What it is, in a line: the first of its file."""
        return _first_line(sys.modules[self.learner.__module__])


_USES: Mapping[str, str] = MappingProxyType(
    {
        "swap": "swap", "draw": "draw", "mix": "mix", "walk": "walk", "draw_styles": "edit",
        "reverse_strip": "reverse strip", "restore": "restore", "fill": "fill",
        "unlikeness": "score anomalies",
    }
)  # fmt: skip
"""What a learner can do, by the method that does it."""

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "autoencoder": Family(Learns.PEOPLE, autoencoder.Config, autoencoder.Autoencoder),
        "faceswapgan": Family(Learns.PEOPLE, faceswapgan.Config, faceswapgan.FaceswapGAN),
        "separate": Family(Learns.PEOPLE, separate.Config, separate.Separate),
        "classic": Family(Learns.PEOPLE, classic.Config, classic.Classic),
        "cyclegan": Family(Learns.PEOPLE, cyclegan_config.Config, cyclegan.CycleGan),
        "dcgan": Family(Learns.PICTURES, dcgan.Config, dcgan.Dcgan),
        "ddpm": Family(Learns.PICTURES, ddpm.Config, ddpm.Ddpm),
        "vae": Family(Learns.PEOPLE, vae.Config, vae.FaceVAE),
        "vae-pictures": Family(Learns.PICTURES, vae_pictures.Config, vae_pictures.PictureVAE),
        "restoring": Family(Learns.PICTURES, restoring.Config, restoring.Restorer),
        "stylegan": Family(Learns.PICTURES, stylegan.Config, stylegan.StyleGAN),
        "supervised": Family(Learns.PEOPLE, supervised.Config, supervised.Supervised),
        "vaegan": Family(Learns.PEOPLE, vaegan.Config, vaegan.VAEGAN),
    }
)
"""The families by name; the first one is the default of everything."""

FITTED: Mapping[str, str] = MappingProxyType(
    {
        "faceswap-graphics": "changeling.generators.faceswap_graphics",
        "reenact": "changeling.generators.reenact",
        "edit": "changeling.generators.edit",
    }
)
"""The families that need no training but the fit of a face, each with its file.

They are not imported here: what draws a fitted face needs the renderer, training does not.
"""


def fitted_summary(name: str) -> str:
    """What a family that needs no training is, in a line: the first of its file."""
    return _first_line(import_module(FITTED[name]))


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0].rstrip(".")


def family(name: str) -> Family:
    """Return the family of that name; raises `UserError` when there is none."""
    if name not in FAMILIES:
        raise UserError(f"there is no family {name!r}: give one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def configuration(name: str, task: Task, *, preset: str = "laptop") -> FamilyConfig:
    """Return the configuration of the family `name` for a task.

    Raises `UserError` when there is no such family, or it has no such preset.
    """
    kind = family(name)
    if preset not in kind.presets:
        raise UserError(f"{name} has no preset {preset!r}: give one of {', '.join(kind.presets)}")
    config: FamilyConfig = getattr(kind.config, preset)(task)
    return config


def load_generator(folder: Path, *, runtime: Runtime | None = None) -> Swaps:
    """Open a run's folder as a generator that swaps faces.

    Raises `UserError` when the folder is no run, has no checkpoint yet, it is damaged, or the
    family does not swap.
    """
    swaps: Swaps = load_with(folder, "swap", runtime=runtime)
    return swaps


def load_drawer(folder: Path, *, runtime: Runtime | None = None) -> Draws:
    """Open a run's folder as a generator that draws pictures; raises as `load_generator`."""
    draws: Draws = load_with(folder, "draw", runtime=runtime)
    return draws


# Any: the learner that the run names, of which only `use` is known; callers say which protocol.
def load_with(folder: Path, use: str, *, runtime: Runtime | None = None) -> Any:  # noqa: ANN401
    """Open a run's folder as a generator that has the method `use`; raises as `load_generator`."""
    run = Run(folder)
    kind = family(run.family)
    if not hasattr(kind.learner, use):
        able = ", ".join(name for name in FAMILIES if hasattr(FAMILIES[name].learner, use))
        raise UserError(
            f"{folder} is a run of {run.family}, which cannot {use.replace('_', ' ')}: give one of "
            f"{able}"
        )
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
    return learner
