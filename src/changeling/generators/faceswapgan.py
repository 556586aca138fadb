"""Faceswap-GAN: an autoencoder for two or more people that is also taught by judges.

After shaoanlu's faceswap-GAN 2.2 (2018): each decoder draws a face and an alpha, a judge per
person compares alpha · face + (1 - alpha) · input with real faces by mixtures of both (mixup,
Zhang et al., ICLR 2018; least squares, Mao et al., ICCV 2017), and the drawn face is held to the
true one by pixels, edges, the eyes and features. The features are those of the identity network.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from changeling.faces.identity import read_network
from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import (
    Tones,
    check_people,
    check_size,
    discrepancy,
    find_person,
    flattened,
    swap_grid,
)
from changeling.generators.faceswapgan_losses import (
    Views,
    Weights,
    blend,
    edge_loss,
    hinge_loss,
    in_motion,
    in_other_colours,
    mixing_shares,
    paste,
    perceptual_loss,
    squares,
)
from changeling.generators.faceswapgan_networks import Capacity, Generator, Norm, Style, judge
from changeling.generators.protocols import Swapped, Task
from changeling.training import Losses, Runtime, adversarial, load_optimizer, optimizer_state
from changeling.training.averaged import follow, pace, set_rate


@dataclass(frozen=True)
class Config:
    """Settings of the faceswap-GAN; the defaults are those of its listing."""

    people: tuple[str, ...]
    """Names, two or more; one decoder and one judge each."""
    size: int = 64
    """Side of the faces in pixels, divisible by 16; 64, 128 and 256 are usual."""
    filters: int = 64
    """Channels at full size; they double at each halving, up to 16 times as many."""
    code: int = 1024
    """Numbers in the code: the bottleneck between encoder and decoders."""
    noise: float = 0.0
    """Deviation of the noise on the code, which is then kept at a deviation of 1; 0: neither."""
    capacity: Capacity = "standard"
    """lite: half the filters, and no convolution at full size."""
    norm: Norm = "instance"
    """What follows a convolution; layer: over all features of a face; hybrid: half of them."""
    attention: bool = True
    """Self-attention on one map of encoder, decoders and judges."""
    weights: Weights = field(default_factory=Weights)
    """What the losses weigh."""
    active: bool = True
    """Compare features after the rectifier that ends a stage; false: before it."""
    threshold: float = 0.5
    """Alpha below this is punished where the hinge weighs anything."""
    mixup: float = 0.2
    """Both parameters of the beta distribution of a mixture's share; 0: nothing is mixed."""
    match: float = 0.5
    """How often (0…1) input and target take on the colours of another face of any of the people."""
    blur: float = 0.0
    """How often (0…1) input and target are blurred by the same motion."""
    pasted: bool = False
    """Judges see the face pasted into its target by the mask, where alpha cannot hide it."""
    rate: float = 1e-4
    """Learning rate of Adam, for generator and judges."""
    factor: float = 1.0
    """What the learning rate is multiplied by."""
    steady: int | None = None
    """Steps after which the learning rate falls with the root of the step; None: never."""
    unjudged: int = 0
    """Steps at the beginning without judges."""
    batch: int = 8
    """Faces of each person in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        weights = Weights(outside=0.5, hinge=1.0, alpha=0.3, cyclic=1.0, tie=0.01)
        small = cls(("a", "b"), size=16, filters=4, code=6, weights=weights)
        return replace(small, noise=0.1, blur=0.5, steady=2)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores.

        The listing's loss weighs the eyes so much that the rest of the face waits, edges so little
        that they stay soft, and leaves the codes free to drift apart; the batches level the inputs'
        colours.
        """
        return cls(
            task.people,
            task.size,
            filters=32,
            code=256,
            noise=0.1,
            capacity="lite",
            norm="none",
            attention=False,
            weights=Weights(edge=1.0, eyes=3.0, outside=0.1, alpha=0.3, tie=0.01),
            match=0.0,
            pasted=True,
            rate=1e-3,
            steady=2000,
        )

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return the listing's configuration."""
        return cls(task.people, task.size)


class FaceswapGAN:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for sizes that do not fit."""
        check_people(config.people)
        check_size(config.size, 16)
        self.people = config.people
        """The names of the people that have a decoder."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config = config
        self._runtime = runtime
        self._network = runtime.network(_Network(config))
        self._average = deepcopy(self._network.generator).requires_grad_(False).eval()
        self._features = runtime.network(read_network()[0]).requires_grad_(False).eval()
        self._adam, self._judging = (
            runtime.adam(part.parameters(), rate=config.rate, betas=(0.5, 0.999))
            for part in (self._network.generator, self._network.judges)
        )
        self._tones = Tones(config.people)
        self._steps = 0

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give every face back by its person's decoder; move judges, generator and its average."""
        self._tones.values = batch.tones
        views = self._views(batch)
        with self._runtime.autocast():
            codes = self._network.generator.encode(views.inputs)
            noisy = codes + self._config.noise * torch.randn_like(codes, dtype=torch.float32)
            drawn = self._network.generator.decode(noisy, tuple(range(len(self.people))))
        shown = paste(drawn, views) if self._config.pasted else blend(drawn, views.inputs)
        losses = self._drawing_losses(drawn.float(), shown, views)
        if self._config.weights.tie:
            losses["tie"] = discrepancy(codes.float().unflatten(0, batch.inputs.shape[:2]))
        if self._config.weights.cyclic:
            losses["cyclic"] = self._cycle(views.targets)
        self._steps += 1
        notes: dict[str, Tensor] = {}
        if self._steps > self._config.unjudged:
            losses["adversarial"], notes = self._judge(shown, views)
        self._move(self._adam, self._config.weights.total(losses))
        follow(self._average, self._network.generator, self._steps)
        return {name: loss.detach() for name, loss in losses.items()} | notes

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give `faces` back as the person `to`, by the averaged weights (see `Swaps`).

        The masks are alpha and the faces are not blended by it: pasting does that.
        """
        faces = self._tones.levelled(faces, to=to, of=of)
        person = find_person(self.people, to)
        with self._runtime.autocast():
            code = self._average.encode(2 * self._runtime.pictures(faces) - 1)
            drawn = self._average.decode(code, (person,))
        drawn = drawn.float().contiguous()
        return Swapped(0.5 + 0.5 * drawn[:, :3].tanh(), drawn[:, 3:].sigmoid())

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averages, both optimizers' states, steps and people's colours."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "adam": optimizer_state(self._adam),
            "judging": optimizer_state(self._judging),
            "steps": self._steps,
            "tones": self._tones.values,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        load_optimizer(self._adam, state["adam"])
        load_optimizer(self._judging, state["judging"])
        self._steps = state["steps"]
        self._tones.values = state["tones"]

    def _views(self, batch: PeopleBatch) -> Views:
        """Lay all people's faces in one row, now and then in other colours or in motion."""
        pictures = (batch.inputs, batch.targets, batch.masks, batch.eyes)
        inputs, targets, masks, eyes = flattened(self._runtime, *pictures)
        views = Views(2 * inputs - 1, 2 * targets - 1, masks, eyes)
        if self._config.match:
            views = in_other_colours(views, self._config.match)
        return in_motion(views, self._config.blur) if self._config.blur else views

    def _drawing_losses(self, drawn: Tensor, shown: Tensor, views: Views) -> dict[str, Tensor]:
        """Compare drawings (n, 4, s, s) with the targets."""
        weights, faces = self._config.weights, drawn[:, :3].tanh()
        shares = weights.outside + (1 - weights.outside) * views.masks + weights.eyes * views.eyes
        losses = {
            "l1": (shares * (faces - views.targets).abs()).mean(),
            "edge": edge_loss(faces, views.targets, shares),
        }
        if any(weights.perceptual):
            losses["perceptual"] = self._perceptual(shown, views.targets)
        if weights.hinge:
            losses["hinge"] = hinge_loss(drawn[:, 3:].sigmoid(), self._config.threshold)
        if weights.alpha:
            losses["alpha"] = F.binary_cross_entropy_with_logits(drawn[:, 3:], views.masks)
        return losses

    def _perceptual(self, faces: Tensor, targets: Tensor) -> Tensor:
        """Compare the features of faces (n, 3, s, s), -1…1; see `Weights.perceptual`."""
        active = self._config.active
        with torch.no_grad():
            true = self._features.maps((targets + 1) / 2, active=active)
        mine = self._features.maps((faces + 1) / 2, active=active)
        return perceptual_loss(mine, true, self._config.weights.perceptual)

    def _cycle(self, faces: Tensor) -> Tensor:
        """Swap everybody to the next person, the last to the first, and back."""
        own = tuple(range(len(self.people)))
        generator = self._network.generator

        def give(faces: Tensor, people: tuple[int, ...]) -> Tensor:
            with self._runtime.autocast():
                return blend(generator.decode(generator.encode(faces), people), faces)

        return (give(give(faces, (*own[1:], own[0])), own) - faces).abs().mean()

    def _judge(self, shown: Tensor, views: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """Move the judges, then ask them; the loss of the generator, and notes on how they do."""
        drawn, true = (torch.cat([x, views.inputs], dim=1) for x in (shown, views.targets))
        shares = mixing_shares(len(drawn), self._config.mixup).to(drawn.device)
        judged = self._opinions(torch.lerp(drawn.detach(), true, shares))
        loss = squares(judged, shares)
        self._move(self._judging, loss)
        with torch.no_grad():
            real = self._opinions(true)
        judges = self._network.judges.requires_grad_(False)
        fake = self._opinions(drawn)
        judges.requires_grad_(True)
        notes = {"judges": loss.detach(), **adversarial(real, fake, shown, views.targets)}
        return squares(fake, torch.ones_like(shares)), notes

    def _opinions(self, pairs: Tensor) -> Tensor:
        """Ask each person's judge about its share of the pairs (people · n, 6, s, s)."""
        parts = zip(self._network.judges, pairs.chunk(len(self.people)), strict=True)
        with self._runtime.autocast():
            return torch.cat([judge(part) for judge, part in parts]).float()

    def _move(self, optimizer: Optimizer, loss: Tensor) -> None:
        config = self._config
        slow = 1.0 if config.steady is None else pace(self._steps, config.steady)
        set_rate(optimizer, config.rate * config.factor * slow)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


class _Network(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, filters, capacity = config.size, config.filters, config.capacity
        style = Style.choose(config.norm, size, attention=config.attention)
        people, even = len(config.people), config.noise > 0
        self.generator = Generator(
            size, filters, config.code, people=people, capacity=capacity, style=style, even=even
        )
        self.judges = nn.ModuleList(
            judge(size, filters, capacity=capacity, style=style) for _ in config.people
        )
