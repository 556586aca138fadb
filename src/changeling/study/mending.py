"""Pictures that a trained run gives back mended: denoised, or with a hole filled, and signed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.errors import UserError
from changeling.faces import Pictures, SquareFiles
from changeling.generators import Fills, Notices, Restores, load_with, with_noise
from changeling.measuring import NonLocalMeans, mean_psnr, unit_tensor
from changeling.media import Pixels, Tick, read_image, silent, write_image
from changeling.provenance import Credential, Ingredient, Source, Use, publish, sha256
from changeling.study.drawing import as_pixels, credential_of, free_folder, publish_each, sheet
from changeling.training import Runtime

CENTRE = "centre"
"""The hole in the middle, half as wide and high as the picture."""
_AT_ONCE = 32
_GREY = 0.5
"""What a hole shows."""
_LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in what a grey picture shows of them (ITU-R BT.601)."""


@dataclass(frozen=True)
class Damage:
    """What is done to pictures before they are mended; one of the two at most."""

    noise: float | None = None
    """Standard deviation of noise that is added, on the scale 0…1."""
    hole: str | None = None
    """centre, or the path of a picture that is white where something is to be filled in."""
    seed: int = 0
    """Seed of the noise."""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the credential says of it."""
        if self.noise is not None:
            return (("noise", f"{self.noise:g}"), ("seed", str(self.seed)))
        return () if self.hole is None else (("hole", self.hole),)


@dataclass(frozen=True, eq=False)
class Chosen:
    """Pictures that are to be mended."""

    pictures: Pictures
    """The set that they are of."""
    rows: NDArray[np.int64]
    """Which of them."""
    files: tuple[Path, ...] = ()
    """Where each came from, if they are files."""

    @classmethod
    def some(cls, pictures: Pictures, count: int, *, seed: int = 0) -> "Chosen":
        """`count` of a set's pictures, or all, drawn with the seed and in the set's order."""
        order = np.random.default_rng(seed).permutation(len(pictures))
        return cls(pictures, np.sort(order[:count]))

    @classmethod
    def of_files(cls, pictures: SquareFiles) -> "Chosen":
        """All of some files."""
        return cls(pictures, np.arange(len(pictures)), pictures.files)

    @property
    def names(self) -> tuple[str, ...]:
        """What each is called: its file, or its number in the set."""
        return tuple(map(str, self.files or self.rows))


@dataclass(frozen=True, eq=False)
class Mended:
    """What became of the pictures."""

    columns: Mapping[str, Tensor]
    """(n, channels, s, s) 0…1 by name, as a sheet shows them from left to right."""
    rival: NonLocalMeans | None
    """What the network is compared with where noise was added."""
    unlike: tuple[float, ...]
    """How unlike what was learnt each picture is, where it was asked."""

    @property
    def gains(self) -> dict[str, float]:
        """Mean PSNR of each column beside the truth, in decibels; none without added noise."""
        if self.rival is None:
            return {}
        *others, true = self.columns
        return {name: mean_psnr(self.columns[name], self.columns[true]) for name in others}


def restore(
    run: Path,
    chosen: Chosen,
    out: Path,
    damage: Damage = Damage(),
    *,
    today: date,
    score: bool = False,
    overwrite: bool = False,
    runtime: Runtime | None = None,
    tick: Tick = silent,
) -> Mended:
    """Give pictures back mended by a run's network, at the size that it learnt, and publish them.

    An `out` with a picture's suffix becomes one sheet, a row a picture, as given and restored, and
    after a damage true; any other is a folder that gets one PNG a restored picture. `score` asks
    how unlike what was learnt each is. Raises UserError when the run does not restore, cannot fill
    holes or cannot score, somebody does not consent, or `out` exists.
    """
    use = "restore" if damage.hole is None else "fill"
    mends: Restores = load_with(run, use, runtime=runtime)
    hole = _hole(mends.size, damage)
    if score and not isinstance(mends, Notices):
        raise UserError(f"{run} cannot tell how unlike a picture is: leave out --score")
    chosen.pictures.consent.check(Use.DRAW, where=chosen.pictures.name, today=today)
    credential = _credential(run, chosen, out.name, damage, today)
    if not out.suffix:
        free_folder(out, overwrite=overwrite)
        mended = _mended(mends, chosen, damage, hole, score, tick)
        own = [_of_one(credential, chosen, index) for index in range(len(chosen.rows))]
        publish_each(_pixels(mended.columns["restored"]), own, out, overwrite=overwrite)
        return mended
    with publish(out, credential, overwrite=overwrite) as beside:
        mended = _mended(mends, chosen, damage, hole, score, tick)
        rows = torch.stack(list(mended.columns.values()), dim=1).flatten(0, 1)
        write_image(beside, sheet(np.stack(_pixels(rows)), columns=len(mended.columns)))
    return mended


def _mended(
    mends: Restores, chosen: Chosen, damage: Damage, hole: Tensor | None, score: bool, tick: Tick
) -> Mended:
    true = _in_channels(unit_tensor(chosen.pictures.read(chosen.rows, mends.size)), mends.channels)
    unlike = mends.unlikeness(true).tolist() if score and isinstance(mends, Notices) else ()
    given, rival = true, None
    if hole is not None:
        given = torch.where(hole > 0, _GREY, true)
    if damage.noise is not None:
        given = with_noise(true, damage.noise, damage.seed)
        rival = NonLocalMeans.best(given, true, damage.noise)
    mend, parts = _way(mends, damage, hole), []
    for part in given.split(_AT_ONCE):
        parts.append(mend(part).cpu())
        tick(sum(map(len, parts)), len(given))
    means = {} if rival is None else {"non-local means": rival.restore(given)}
    truth = {} if given is true else {"true": true}
    return Mended(
        {"given": given, **means, "restored": torch.cat(parts), **truth}, rival, tuple(unlike)
    )


def _way(mends: Restores, damage: Damage, hole: Tensor | None) -> Callable[[Tensor], Tensor]:
    """How a network gives pictures back when it is told of the damage."""
    if hole is None or not isinstance(mends, Fills):
        return partial(mends.restore, noise=damage.noise)
    fill, known = mends.fill, 1 - hole
    return lambda part: fill(part, known.expand(len(part), -1, -1, -1))


def _hole(size: int, damage: Damage) -> Tensor | None:
    """(1, 1, s, s): 1 where something is to be filled in."""
    if damage.hole is None:
        return None
    if damage.noise is not None:
        raise UserError("a picture gets either noise or a hole: leave out --noise or --hole")
    hole = torch.zeros(1, 1, size, size)
    if damage.hole == CENTRE:
        edge = size // 4
        hole[..., edge:-edge, edge:-edge] = 1
        return hole
    white = read_image(Path(damage.hole)).mean(2) > 127
    hole[:] = torch.from_numpy(cv2.resize(white.astype(np.float32), (size, size))) > 0
    return hole


def _in_channels(pictures: Tensor, channels: int) -> Tensor:
    """RGB as grey, grey as three equal channels, or as it is."""
    if pictures.shape[1] > channels:
        return (pictures * torch.tensor(_LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    return pictures.expand(-1, channels, -1, -1).contiguous()


def _credential(run: Path, chosen: Chosen, title: str, damage: Damage, today: date) -> Credential:
    """What is signed with a sheet. Raises UserError when a consent of the run does not allow it."""
    drawn = credential_of(run, title, damage.facts, today=today)
    shown = tuple(Ingredient(path.name, sha256(path), "componentOf") for path in chosen.files)
    return replace(drawn, source=Source.COMPOSITE, ingredients=(*shown, *drawn.ingredients))


def _of_one(credential: Credential, chosen: Chosen, index: int) -> Credential:
    """What is signed with one picture: a file is edited, one of a set has a number."""
    *shown, weights = credential.ingredients
    if not shown:
        place = (("pictures", chosen.pictures.name), ("row", chosen.names[index]))
        return replace(credential, facts=(*credential.facts, *place))
    parent = replace(shown[index], relationship="parentOf")
    return replace(credential, ingredients=(parent, weights))


def _pixels(pictures: Tensor) -> list[Pixels]:
    return [as_pixels(picture) for picture in pictures.numpy()]
