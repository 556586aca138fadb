"""VAE/GAN: a variational autoencoder whose measure of likeness is what a discriminator sees.

Larsen, Sønderby, Larochelle & Winther, Autoencoding beyond pixels using a learned similarity
metric, arXiv 1512.09300. Three optimizers, each with its share of the losses (algorithm 1): the
encoder follows L_prior, the divergence of the code, and L_llike, the likeness of what the
discriminator's features show; the decoders follow L_llike, weighted by gamma, and deceive the
discriminator; the discriminator follows L_GAN, its own judgement, alone.

Made to swap faces: a decoder per person behind one encoder, and a discriminator that says of whom
it believes a face to be. Departures from 2016, for steadiness on few faces and in few minutes:
- Nothing is drawn from the prior. Other people's codes in its place, which are what a swap decodes,
  were judged once: what pleases the discriminator where a person was never seen is no face, and
  after ten minutes side views fell apart.
- Pixels count beside the features, structure and mask as in the other families of faces, and
  all else grows from 0: verdicts on faces that are none yet teach nothing.
- The discriminator sees the inner face alone, is spectrally normalised (Miyato et al., arXiv
  1802.05957), and is deceived by log D in place of -log (1 - D) (Goodfellow et al., 2014).
- Features count relative to those of the true faces; the weights are averaged; a swap decodes the
  mean of the code.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import (
    Tones,
    check_people,
    check_size,
    divergence,
    drawing_losses,
    drawing_sum,
    find_person,
    flattened,
    reparameterise,
    rising,
    swap_grid,
    swapped,
)
from changeling.generators.protocols import Swapped, Task
from changeling.generators.twins import Twins
from changeling.generators.vaegan_judge import Judge
from changeling.training import Losses, Runtime, adversarial, load_optimizer, optimizer_state
from changeling.training.averaged import follow, pace, set_rate


@dataclass(frozen=True)
class Config:
    """Settings of the VAE/GAN."""

    people: tuple[str, ...]
    """Names, two or more; one decoder each."""
    size: int = 64
    """Side of the faces in pixels, divisible by 2 to the number of widths."""
    widths: tuple[int, ...] = (32, 64, 128, 256)
    """Channels of encoder and decoders at a half, a quarter, … of the size."""
    judge: tuple[int, ...] = (32, 64, 128)
    """Channels of the discriminator at a half, a quarter, … of the size; no more than `widths`."""
    code: int = 256
    """Numbers in the code."""
    beta: float = 1e-4
    """Weight of a nat of divergence, beside differences of pixels on the scale 0…1."""
    gamma: float = 0.2
    """Weight of the features' difference, as a share of the true features' energy."""
    deceive: float = 0.02
    """Weight of the deception of the discriminator."""
    rise: int = 500
    """Steps in which `beta`, `gamma` and `deceive` grow from 0 to what they are."""
    structure: float = 0.25
    """Weight of the structural dissimilarity beside the absolute difference."""
    outside: float = 0.1
    """Weight of a pixel outside the face, where one inside weighs 1."""
    mask: float = 0.3
    """Weight of the mask's loss."""
    rate: float = 1e-3
    """Learning rate of encoder and decoders after their warm-up and before their decay."""
    judge_rate: float = 5e-4
    """The same of the discriminator."""
    steady: int = 2000
    """Steps after which the learning rates begin to fall with the root of the step."""
    batch: int = 8
    """Faces of each person in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(people=("a", "b", "c"), size=16, widths=(8, 12), judge=(6, 8), code=6, rise=10)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: 128 pixels and above have one level more."""
        # With the defaults the faces fell apart after five minutes.
        gentle = cls(task.people, task.size, gamma=0.1, deceive=0.004)
        if task.size < 128:
            return gentle
        widths, judge = (32, 64, 96, 192, 256), (32, 64, 96, 128)
        return replace(gentle, widths=widths, judge=judge, code=384)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What encoder and decoders made of a batch, joined to their weights by the graph."""

    codes: Tensor
    kl: Tensor
    faces: Tensor
    """(n, 4, s, s): every face by its person's decoder."""


@dataclass(frozen=True, eq=False)
class _Judged:
    """What the discriminator says, in logits of being a true face of the person."""

    real: Tensor
    """(n,) of the true faces."""
    fake: Tensor
    """(n,) of the drawn ones."""
    like: Tensor
    """How different the features of drawn and true faces are (see `difference`)."""


class VAEGAN:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for sizes that do not fit."""
        check_people(config.people)
        check_size(config.size, 2 ** len(config.widths))
        self.people = config.people
        """The names of the people that have a decoder."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config, self._runtime = config, runtime
        people, code = len(config.people), config.code
        twins = Twins(config.size, config.widths, people=people, encoded=2 * code, code=code)
        self._twins = runtime.network(twins)
        self._average = deepcopy(self._twins).requires_grad_(False).eval()
        self._judge = runtime.network(Judge(config.size, config.judge, len(config.people)))
        self._parts = {
            "encoder": [*self._twins.encoder.parameters()],
            "decoders": [*self._twins.shared.parameters(), *self._twins.decoders.parameters()],
            "judge": [*self._judge.parameters()],
        }
        self._adams = {
            name: runtime.adam(part, rate=1, betas=(0.5 if name == "judge" else 0.9, 0.99))
            for name, part in self._parts.items()
        }
        self._tones = Tones(config.people)
        self._steps = 0

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Draw every face, judge it, and move each part by its share of the losses."""
        self._tones.values = batch.tones
        faces = (batch.inputs, batch.targets, batch.masks)
        inputs, targets, masks = flattened(self._runtime, *faces)
        with self._runtime.autocast():
            drawn = self._draw(inputs)
            judged = self._judged(drawn, targets, masks)
        losses = self._losses(drawn, judged, targets, masks)
        self._route(drawn, losses)
        self._move()
        seen = adversarial(
            judged.real.sigmoid(), judged.fake.sigmoid(), drawn.faces[:, :3], targets
        )
        return {**{name: loss.detach() for name, loss in losses.items()}, **seen}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give the means of the codes of `faces` back as the person `to` (see `Swaps`)."""
        faces = self._tones.levelled(faces, to=to, of=of)
        person = find_person(self.people, to)
        with self._runtime.autocast():
            mean, _ = self._average.encode(self._runtime.pictures(faces)).chunk(2, dim=1)
            drawn = self._average.draw(mean, person)
        return swapped(drawn)

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averages, each Adam's state, the steps and the people's colours."""
        return {
            "network": {"twins": self._twins.state_dict(), "judge": self._judge.state_dict()},
            "average": self._average.state_dict(),
            "adams": {name: optimizer_state(adam) for name, adam in self._adams.items()},
            "steps": self._steps,
            "tones": self._tones.values,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._twins.load_state_dict(state["network"]["twins"])
        self._judge.load_state_dict(state["network"]["judge"])
        self._average.load_state_dict(state["average"])
        for name, adam in self._adams.items():
            load_optimizer(adam, state["adams"][name])
        self._steps = state["steps"]
        self._tones.values = state["tones"]

    def _draw(self, inputs: Tensor) -> _Drawn:
        mean, log_variance = self._twins.encode(inputs).float().chunk(2, dim=1)
        codes = reparameterise(mean, log_variance)
        faces = self._twins.decode(codes.chunk(len(self.people))).float()
        return _Drawn(codes, divergence(mean, log_variance).mean(), faces)

    def _judged(self, drawn: _Drawn, targets: Tensor, masks: Tensor) -> _Judged:
        """Judge true and drawn faces inside their masks."""
        n = len(masks) // len(self.people)
        features, logits = self._judge(torch.cat([masks * targets, masks * drawn.faces[:, :3]]))
        people = torch.arange(len(self.people), device=logits.device).repeat_interleave(n).repeat(2)
        own = logits.float().gather(1, people[:, None])[:, 0]
        true, faces = features.float().chunk(2)
        real, fake = own.chunk(2)
        return _Judged(real, fake, difference(faces, true.detach()))

    def _losses(
        self, drawn: _Drawn, judged: _Judged, targets: Tensor, masks: Tensor
    ) -> dict[str, Tensor]:
        return {
            **drawing_losses(drawn.faces, targets, masks, self._config.outside),
            "like": judged.like,
            "kl": drawn.kl,
            "deceive": F.softplus(-judged.fake).mean(),
            "judge": judgement(judged.real, judged.fake),
        }

    def _route(self, drawn: _Drawn, losses: Mapping[str, Tensor]) -> None:
        """Leave in every weight the gradient of the losses that its part follows."""
        config = self._config
        pixels = drawing_sum(losses, config.structure, config.mask)
        share = rising(self._steps, config.rise)
        likeness = pixels + share * config.gamma * losses["like"]
        torch.autograd.backward(losses["judge"], inputs=self._parts["judge"], retain_graph=True)
        (by_likeness,) = torch.autograd.grad(likeness, [drawn.faces], retain_graph=True)
        deceit = share * config.deceive * losses["deceive"]
        (by_deceit,) = torch.autograd.grad(deceit, [drawn.faces], retain_graph=True)
        (by_codes,) = torch.autograd.grad(drawn.faces, [drawn.codes], by_likeness, True)
        torch.autograd.backward(
            [drawn.faces], [by_likeness + by_deceit], inputs=self._parts["decoders"]
        )
        prior = share * config.beta * losses["kl"]
        torch.autograd.backward(
            [drawn.codes, prior], [by_codes, None], inputs=self._parts["encoder"]
        )

    def _move(self) -> None:
        config = self._config
        self._steps += 1
        share = pace(self._steps, config.steady)
        for name, adam in self._adams.items():
            peak = config.judge_rate if name == "judge" else config.rate
            set_rate(adam, peak * share)
            adam.step()
            adam.zero_grad()
        follow(self._average, self._twins, self._steps)


def difference(features: Tensor, true: Tensor) -> Tensor:
    """Return the squared difference as a share of the energy of the `true` features.

    0 for equal features, 1 for none at all. Up to its scale L_llike of the paper.
    """
    return (features - true).square().mean() / true.square().mean().clamp_min(1e-8)


def judgement(real: Tensor, fake: Tensor) -> Tensor:
    """Return the cross-entropy of logits of true and of made faces, both kinds weighing alike."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()
