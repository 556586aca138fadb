"""Settings of CycleGAN."""

from dataclasses import dataclass, replace

from changeling.errors import UserError
from changeling.generators.blocks import check_people, check_size
from changeling.generators.protocols import Task
from changeling.generators.twins import SIZE

PAPER_STEPS = 200_000
"""200 epochs of about a thousand pictures, one a step (section 7.1)."""


@dataclass(frozen=True)
class Config:
    """Settings of CycleGAN; the defaults are the paper's."""

    people: tuple[str, ...]
    """Names of the two people."""
    size: int = 256
    """Side of the faces in pixels."""
    batch: int = 1
    """Faces of each person in a step."""
    filters: int = 64
    """Channels of the ResNet's first convolution."""
    blocks: int = 9
    """Residual blocks of the ResNet."""
    code: int = 0
    """Numbers in the code that a face is drawn from; 0: a ResNet without code."""
    widths: tuple[int, ...] = (32, 64, 128, 256)
    """Channels at a half, a quarter, … of the size, of generators with a code."""
    mask: float = 0.0
    """Weight of the loss of a mask drawn beside the face; 0: none, the whole square is the face."""
    taught: bool = False
    """Begin with what many actors taught an autoencoder, instead of with random weights; for the
    size, widths and code that were taught."""
    outside: float = 1.0
    """Weight of a pixel outside the face, where one inside weighs 1; judges see all alike."""
    structure: float = 0.0
    """Weight of the structural dissimilarity, as a multiple of `cycle`."""
    judge_filters: int = 64
    """Channels of the judges' first convolution."""
    judge_layers: int = 3
    """Halvings in a judge: a patch is 70 pixels wide for 3, 34 for 2, 16 for 1."""
    cycle: float = 10.0
    """Weight of the difference between a face and what comes back (λ)."""
    identity: float = 0.5
    """Weight of leaving the own person's faces alone, as a multiple of `cycle`."""
    light: float = 0.0
    """Weight of the light on what is drawn being that on what it was drawn from; 0: not asked."""
    warped: bool = False
    """Give a batch's warped and recoloured views instead, of which the own faces are to be made."""
    pool: int = 50
    """Old drawings kept for each judge."""
    rate: float = 2e-4
    """Learning rate of Adam in the first half."""
    judge_rate: float = 2e-4
    """The judges' learning rate in the first half."""
    steps: int = PAPER_STEPS
    """Planned steps; the learning rates fall to zero in the second half, and stay there."""
    steady: int | None = None
    """Steps after which the rates fall with the root of the step instead, to no planned end."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(
            ("a", "b"), 16, code=6, widths=(8, 12), mask=0.3, outside=0.1, structure=0.25,
            judge_filters=4, judge_layers=1, light=1.0, pool=4,
        )  # fmt: skip

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return the paper's configuration: 9 blocks from 256 pixels on, 6 below."""
        blocks = 9 if task.size >= 256 else 6
        return cls(task.people, task.size, blocks=blocks, steps=task.steps or PAPER_STEPS)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores and 30 minutes; at 64 pixels it begins taught."""
        scratch = cls.scratch(task)
        return replace(scratch, taught=True, rate=3e-4) if task.size == SIZE else scratch

    @classmethod
    def scratch(cls, task: Task) -> "Config":
        """Return the same with random weights."""
        return cls(
            task.people,
            task.size,
            batch=4,
            code=256,
            mask=0.3,
            outside=0.1,
            structure=0.25,
            judge_filters=32,
            identity=1.0,
            light=5.0,
            warped=True,
            rate=5e-4,
            steps=task.steps or PAPER_STEPS,
            steady=None if task.steps else 1000,
        )


def check(config: Config) -> None:
    """Raise `UserError` for people or a size that do not fit."""
    check_people(config.people)
    if len(config.people) > 2:
        raise UserError(
            f"cyclegan swaps between two people and was given {', '.join(config.people)}: leave "
            "out --person, or take the autoencoder"
        )
    halvings = len(config.widths) if config.code else 2
    check_size(config.size, 2 ** max(halvings, config.judge_layers + 2))
