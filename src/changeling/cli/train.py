"""`changeling train`: a family of networks, trained on the face sets of two or more people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import Count, Given, OptionalAmount, OptionalCount, Out, Person, Seed


@dataclass(frozen=True)
class Train:
    """Train a family on face sets. The same command again goes on where the run stopped."""

    family: Given[str]
    """Which family of networks, such as autoencoder."""
    a: Path
    """Face set of the person a."""
    b: Path
    """Face set of the person b."""
    out: Out
    """Folder of the run: configuration, log, previews, checkpoint."""
    person: Annotated[tuple[Person, ...], tyro.conf.UseAppendAction] = ()
    """A further person; may be given several times."""
    size: Count = 64
    """Side of the faces in pixels, 64 or 128; not larger than those of the sets."""
    minutes: OptionalAmount = None
    """Minutes of training over all sittings; 5 if --steps is not given either."""
    steps: OptionalCount = None
    """Steps of training over all sittings."""
    batch: Count = 16
    """Faces of each person in a step."""
    seed: Seed = 0
    """Seed of weights, batches and noise."""
    plain: bool = False
    """Use the machine in the plainest way (float32, one thread of batches), to measure the gain."""

    def run(self) -> int:
        """Train."""
        raise NotImplementedError
