"""CycleGAN: the faces of two people turned into each other's, without pairs.

Zhu, Park, Isola & Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", arXiv 1703.10593. A generator per direction and a judge per person; what one generator
draws, the other must turn back. `Config.report` is the paper's: ResNet generators, judges that see
70 × 70 pixels, least squares, a pool of 50 old drawings, cycle 10, identity 0.5, a learning rate
that falls to zero in the second half. Added here: swaps come from averaged weights, and biases
before a normalisation, which takes them out again, are left away.

On two cores the ResNet sees too few faces in half an hour. `Config.laptop` therefore puts in its
place the autoencoder's network, at 64 pixels with what it was taught on many actors: it costs less
than a quarter, and nothing ties what it draws to the place where it was. A person's own faces are
drawn from warped and recoloured views, as an autoencoder does it; all else sees the faces as they
are, but for their levelled colours. The inner face counts most, and its structure with it. Judges
and cycle let a face be drawn in any light of the other film, so that light is asked to stay.
Without a planned number of steps the learning rate falls with the root of the step.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from changeling.faces.people import PeopleBatch, levelling
from changeling.generators.blocks import Tones, find_person, swap_grid
from changeling.generators.cyclegan_config import Config, check
from changeling.generators.cyclegan_losses import comparisons, taken_for, translate
from changeling.generators.cyclegan_networks import Network
from changeling.generators.cyclegan_pool import Pool
from changeling.generators.protocols import Swapped
from changeling.training import Losses, Runtime, adversarial, load_optimizer, optimizer_state
from changeling.training.averaged import follow, pace, set_rate


class CycleGan:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for people or sizes that misfit."""
        check(config)
        self.people = config.people
        """The names of the two people."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config = config
        self._runtime = runtime
        self._network = runtime.network(Network(config))
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
        masks, wanted = batch.masks.to(self._runtime.device), self._weights()
        losses = {
            "fool": _sum(taken_for(1, said) for said in fooled),
            **comparisons(drawn, faces, masks, outside=self._config.outside, wanted=wanted),
        }
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

    def _weights(self) -> dict[str, float]:
        """Return what each loss counts for the generators."""
        config = self._config
        return {
            "fool": 1.0,
            "cycle": config.cycle,
            "identity": config.cycle * config.identity,
            "structure": config.cycle * config.structure,
            "light": config.light,
            "mask": config.mask,
        }

    def _move(self, losses: Mapping[str, Tensor]) -> None:
        weights = self._weights()
        self._adam.zero_grad()
        _sum(weights[name] * loss for name, loss in losses.items()).backward()
        self._adam.step()
        follow(self._average, self._network.generators, self._steps)

    def _judge(self, faces: Sequence[Tensor], fakes: Sequence[Tensor]) -> Losses:
        """Teach the judges real faces from drawn ones, new and old."""
        self._network.judges.requires_grad_(True)
        shown = [pool.exchange(fake) for pool, fake in zip(self._pools, fakes, strict=True)]
        with self._runtime.autocast():
            real = [judge(face) for judge, face in zip(self._network.judges, faces, strict=True)]
            fake = [judge(face) for judge, face in zip(self._network.judges, shown, strict=True)]
        loss = (
            _sum(taken_for(1, yes) + taken_for(0, no) for yes, no in zip(real, fake, strict=True))
            / 2
        )
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


def _sum(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).sum()
