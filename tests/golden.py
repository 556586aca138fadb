"""The first 20 losses of every family's tiny configuration.

`python tests/golden.py [FAMILY …]` records them.
Record only when a change of the losses is intended, and say why in the commit.
"""

import json
import sys
from itertools import islice
from pathlib import Path

import torch
from noise import batches_for

from changeling.generators import FAMILIES
from changeling.training import Runtime, train

FOLDER = Path(__file__).parent / "golden"
PLAIN = Runtime(torch.device("cpu"), torch.float32, False, False, threads=1, workers=0)
STEPS = 20


def first_losses(family: str) -> list[dict[str, float]]:
    """Train the family's tiny configuration for 20 steps in the plainest way."""
    torch.manual_seed(0)
    config = FAMILIES[family].config.tiny()
    learner = FAMILIES[family].learner(config, runtime=PLAIN)
    steps = train(learner, batches_for(family), workers=0)
    return [dict(step.losses) for step in islice(steps, STEPS)]


def recorded(family: str) -> list[dict[str, float]]:
    """Read what was recorded."""
    losses: list[dict[str, float]] = json.loads((FOLDER / f"{family}.json").read_text())
    return losses


if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        (FOLDER / f"{name}.json").write_text(json.dumps(first_losses(name), indent=1) + "\n")
