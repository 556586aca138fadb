"""CycleGAN: the faces of two people turned into each other's, without pairs.

Zhu, Park, Isola & Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", arXiv 1703.10593. A generator per direction and a judge per person; what one generator
draws, the other must turn back. `Config.report` is the paper's: ResNet generators, judges that see
70 × 70 pixels, least squares, a pool of 50 old drawings, cycle 10, identity 0.5, a learning rate
that falls to zero in the second half. Added here: swaps come from averaged weights, and biases
before a normalisation, which takes them out again, are left away.

On two cores the ResNet sees too few faces in half an hour. `Config.laptop` therefore puts in its
place a generator that draws from a short code, as an autoencoder does: it costs less than a quarter
and nothing ties what it draws to the place where it was. It draws a mask beside the face, and its
judges have fewer filters. A patch of 70 pixels is the whole of a face of 64, and who it is shows in
how the parts stand to each other; `judge_layers` makes patches smaller. A person's own faces are
drawn from warped and recoloured views, as an autoencoder does it, which teaches the code where the
parts are; all else sees the faces as they are, but for their levelled colours. Judges and cycle let
a face be drawn in any light of the other film, so that light is asked to stay. Where no number of
steps is planned the learning rate has no end to fall to, and falls with the root of the step.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from changeling.errors import UserError
from changeling.faces.people import PeopleBatch, levelling
from changeling.generators.blocks import Tones, check_people, check_size, find_person, swap_grid
from changeling.generators.cyclegan_losses import (
    differences,
    light_differences,
    mask_loss,
    taken_for,
    translate,
)
from changeling.generators.cyclegan_networks import Coded, PatchJudge, ResNet
from changeling.generators.cyclegan_pool import Pool
from changeling.generators.protocols import Swapped, Task
from changeling.training import Losses, Runtime, adversarial, load_optimizer, optimizer_state
from changeling.training.averaged import follow, pace, set_rate

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
    judge_filters: int = 64
    """Channels of the judges' first convolution."""
    judge_layers: int = 3
    """Halvings in a judge: 3 see 70 × 70 pixels, 2 see 34 × 34, 1 sees 16 × 16."""
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
            ("a", "b"), 16, filters=4, blocks=1, mask=0.3, judge_filters=4, judge_layers=1,
            light=1.0, pool=4,
        )  # fmt: skip

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return the paper's configuration: 9 blocks from 256 pixels on, 6 below."""
        blocks = 9 if task.size >= 256 else 6
        return cls(task.people, task.size, blocks=blocks, steps=task.steps or PAPER_STEPS)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores and 30 minutes."""
        return cls(
            task.people,
            task.size,
            batch=4,
            code=256,
            mask=0.3,
            judge_filters=32,
            identity=1.0,
            light=5.0,
            warped=True,
            rate=5e-4,
            steps=task.steps or PAPER_STEPS,
            steady=None if task.steps else 1000,
        )


class CycleGan:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for people or sizes that misfit."""
        _check(config)
        self.people = config.people
        """The names of the two people."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config = config
        self._runtime = runtime
        self._network = runtime.network(_Network(config))
        self._average = deepcopy(self._network.generators).requires_grad_(False).eval()
        self._adam = runtime.adam(
            self._network.generators.parameters(), rate=config.rate, betas=(0.5, 0.999)
        )
        self._judges_adam = runtime.adam(
            self._network.judges.parameters(), rate=config.judge_rate, betas=(0.5, 0.999)
        )
        self._pools = [Pool(config.pool) for _ in config.people]
        self._tones = Tones(config.people)
        self._steps = 0

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Draw both ways and back, move the generators and their average, then the judges."""
        if self._config.warped:
            self._tones.values = batch.tones
        self._steps += 1
        share = self._share()
        set_rate(self._adam, share * self._config.rate)
        set_rate(self._judges_adam, share * self._config.judge_rate)
        faces = self._people(batch.targets)
        given = self._people(batch.inputs) if self._config.warped else faces
        self._network.judges.requires_grad_(False)
        with self._runtime.autocast():
            drawn = translate(self._network.generators, faces, given, self._factors())
            fooled = [
                judge(fake) for judge, fake in zip(self._network.judges, drawn.fakes, strict=True)
            ]
        losses = {
            "fool": _sum(taken_for(1, said) for said in fooled),
            "cycle": differences(drawn.back, faces),
            "identity": differences(drawn.same, faces),
        }
        if self._config.light:
            losses["light"] = light_differences(drawn)
        if self._config.mask:
            losses["mask"] = mask_loss(drawn.masks, batch.masks.flatten(0, 1))
        self._move(losses)
        judged = self._judge(faces, [fake.detach() for fake in drawn.fakes])
        return {name: loss.detach() for name, loss in {**losses, **judged}.items()}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give `faces` back as the person `to`, by the averaged weights (see `Swaps`)."""
        faces = self._tones.levelled(faces, to=to, of=of)
        generator = self._average[find_person(self.people, to)]
        with self._runtime.autocast():
            drawn = generator(2 * self._runtime.pictures(faces) - 1)
        drawn = drawn.float().contiguous()
        swapped = ((1 + drawn[:, :3]) / 2).clamp(0, 1)
        masks = drawn[:, 3:].sigmoid() if self._config.mask else torch.ones_like(drawn[:, :1])
        return Swapped(swapped, masks)

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averages, both Adams' states, pools, steps and people's colours."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "adam": optimizer_state(self._adam),
            "judges_adam": optimizer_state(self._judges_adam),
            "pools": {k: pool.faces for k, pool in enumerate(self._pools)},
            "steps": self._steps,
            "tones": self._tones.values,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        load_optimizer(self._adam, state["adam"])
        load_optimizer(self._judges_adam, state["judges_adam"])
        for k, pool in enumerate(self._pools):
            pool.faces = self._runtime.pictures(state["pools"][k])
        self._steps = state["steps"]
        self._tones.values = state["tones"]

    def _share(self) -> float:
        """Return the learning rates as a share of their peaks."""
        if self._config.steady is not None:
            return pace(self._steps, self._config.steady)
        return decay(self._steps, self._config.steps)

    def _factors(self) -> Tensor | None:
        """Return what levels the people's faces (2, 3), or None where they are seen as they are."""
        factors = levelling(self._tones.values)
        return None if bool((factors == 1).all()) else factors

    def _people(self, faces: Tensor) -> list[Tensor]:
        """Return each person's faces (n, 3, size, size) in −1…1."""
        return [2 * self._runtime.pictures(one) - 1 for one in faces]

    def _move(self, losses: Mapping[str, Tensor]) -> None:
        config = self._config
        same = config.cycle * (losses["cycle"] + config.identity * losses["identity"])
        added = config.mask * losses.get("mask", 0.0) + config.light * losses.get("light", 0.0)
        total = losses["fool"] + same + added
        self._adam.zero_grad()
        total.backward()
        self._adam.step()
        follow(self._average, self._network.generators, self._steps)

    def _judge(self, faces: Sequence[Tensor], fakes: Sequence[Tensor]) -> Losses:
        """Teach the judges real faces from drawn ones, new and old."""
        self._network.judges.requires_grad_(True)
        shown = [pool.exchange(fake) for pool, fake in zip(self._pools, fakes, strict=True)]
        with self._runtime.autocast():
            real = [judge(face) for judge, face in zip(self._network.judges, faces, strict=True)]
            fake = [judge(face) for judge, face in zip(self._network.judges, shown, strict=True)]
        loss = _sum(taken_for(1, said) for said in real)
        loss = (loss + _sum(taken_for(0, said) for said in fake)) / 2
        self._judges_adam.zero_grad()
        loss.backward()
        self._judges_adam.step()
        # Both people's in a row: of a batch of one there would be no second to vary.
        notes = adversarial(
            torch.cat(real), torch.cat(fake), torch.cat(list(fakes)), torch.cat(list(faces))
        )
        return {"judge": loss, **notes}


def decay(step: int, steps: int) -> float:
    """Return the learning rate at `step` (from 1) of `steps` as a share of its peak.

    1 in the first half, then linear, 0 after the last step (section 7.1).
    """
    return max(0.0, min(1.0, 2 * (1 - (step - 1) / steps)))


def _check(config: Config) -> None:
    check_people(config.people)
    if len(config.people) > 2:
        raise UserError(
            f"cyclegan swaps between two people and was given {', '.join(config.people)}: leave "
            "out --person, or take the autoencoder"
        )
    halvings = len(config.widths) if config.code else 2
    check_size(config.size, 2 ** max(halvings, config.judge_layers + 2))


def _sum(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).sum()


class _Network(nn.Module):
    """For each person a generator that draws it and a judge of its faces."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.generators = nn.ModuleList(_generator(config) for _ in config.people)
        self.judges = nn.ModuleList(
            PatchJudge(config.judge_filters, config.judge_layers) for _ in config.people
        )


def _generator(config: Config) -> nn.Module:
    if config.code:
        return Coded(config.size, config.widths, config.code)
    return ResNet(config.filters, config.blocks, channels=4 if config.mask else 3)
