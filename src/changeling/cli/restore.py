"""`changeling restore`: noisy or damaged pictures given back mended, and signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import (
    Count,
    OptionalAmount,
    OptionalCount,
    OptionalPath,
    OptionalText,
    Out,
    Seed,
)
from changeling.errors import UserError

if TYPE_CHECKING:
    from changeling.study import Chosen, Mended


@dataclass(frozen=True)
class Restore:
    """Give pictures back mended by a family that restores, denoised or with a hole filled, and sign
    them."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder of a training run."""
    out: Out
    """A picture (.png, .jpg, .webp) for one sheet, a row each: as given and restored; or a folder
    that gets a PNG of each."""
    pictures: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="[PICTURE …]")
    ] = ()
    """Square pictures, which are scaled to the size that the run learnt; none with --data."""
    faces: bool = False
    """Take the largest face out of each picture, as a run knows it that learnt actors or face
    sets."""
    data: OptionalText = None
    """Instead of files the test part of a data set: fashion-mnist, actors, actors-film, or a
    folder."""
    actors: OptionalCount = None
    """How many actors --data actors has, as given to train."""
    count: Count = 8
    """How many pictures of --data."""
    consent: OptionalPath = None
    """Consent for pictures that may show people (TOML, see `changeling consent new`)."""
    noise: OptionalAmount = None
    """Add noise of this deviation (0 to 1) first, and compare what is restored with the truth and
    with non-local means."""
    hole: OptionalText = None
    """Fill a hole: centre, or a picture that is white where the hole is (diffusion)."""
    score: bool = False
    """Print how unlike what the run learnt each picture is, 0 for not at all (restoring)."""
    seed: Seed = 0
    """Seed of the noise, and of which pictures of --data are taken."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> int:
        """Restore."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import Damage, restore
        from changeling.training import Runtime

        runtime = Runtime.best()
        runtime.apply()
        with Bar("pictures") as bar:
            chosen = self._chosen(bar)
            mended = restore(
                self.model, chosen, self.out, Damage(self.noise, self.hole, self.seed),
                today=date.today(), score=self.score, overwrite=self.overwrite, runtime=runtime,
                tick=bar.tick,
            )  # fmt: skip
        print(f"{self.out}: {len(chosen.rows)} pictures")
        _print_gains(mended)
        _print_scores(chosen.names, mended.unlike)
        return 0

    def _chosen(self, bar: Bar) -> "Chosen":
        from changeling.faces import Renders, open_files, open_pictures
        from changeling.study import Chosen

        if bool(self.pictures) == bool(self.data):
            raise UserError("give either pictures or --data SOURCE, such as --data actors")
        if self.data is None:
            files = open_files(self.pictures, consent=self.consent, faces=self.faces, tick=bar.tick)
            return Chosen.of_files(files)
        renders = Renders(faces=self.actors) if self.actors else None
        pictures = open_pictures(
            self.data, part="test", consent=self.consent, today=date.today(), renders=renders,
            tick=bar.tick,
        )  # fmt: skip
        return Chosen.some(pictures, self.count, seed=self.seed)


def _print_gains(mended: "Mended") -> None:
    """Decibels of each column, where noise was added."""
    for name, decibels in mended.gains.items():
        print(f"{name:16} {decibels:6.2f} dB")
    if mended.rival is not None:
        how = f"strength {mended.rival.strength:g}, window {mended.rival.window}"
        print(f"Non-local means with what did best on these pictures: {how}.")


def _print_scores(names: Sequence[str], unlike: Sequence[float]) -> None:
    """A line a picture, where it was asked how unlike what was learnt they are."""
    for name, score in zip(names, unlike, strict=False):
        print(f"{name}  {score:.5f}")
