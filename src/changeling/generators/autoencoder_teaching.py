"""Teaching the encoder and the decoder with which an autoencoder of two people may begin."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.faces.renders import render_lessons
from changeling.faces.scene_lessons import SceneBatch, scene_batches
from changeling.faces.scenes import Scenes
from changeling.faces.weights import write_weights
from changeling.generators.autoencoder import WEIGHTS, Config, Network
from changeling.generators.blocks import drawing_losses, follow, pace
from changeling.media import Tick, silent
from changeling.training import (
    Budget,
    Losses,
    Run,
    Runtime,
    fit,
    load_optimizer,
    optimizer_state,
    to_json,
)


@dataclass(frozen=True)
class AutoencoderTeaching:
    """How the autoencoder's beginning is taught."""

    scenes: Scenes = field(default_factory=Scenes)
    """What is rendered to learn from."""
    config: Config = field(default_factory=lambda: Config(("anybody",)))
    """The network, with one decoder for all, and the weights of its losses."""
    people: int = 8
    """People in a step."""
    each: int = 2
    """Faces of each of them, and as many of others in the very same moments."""
    tie: float = 0.1
    """Weight of the squared difference between the codes of two people in the same moment."""
    seed: int = 0
    """Seed of weights, samples and jitter."""


@dataclass(frozen=True)
class AutoencoderTaught:
    """What came out."""

    steps: int
    """Training steps."""
    l1: float
    """Mean absolute difference, 0…1, of the last thousandth of the budget."""


def teach_autoencoder(
    run: Path,
    budget: Budget,
    teaching: AutoencoderTeaching | None = None,
    *,
    cache: Path,
    out: Path = WEIGHTS,
    runtime: Runtime | None = None,
    tick: Tick = silent,
) -> AutoencoderTaught:
    """Render scenes into `cache`, teach in the folder `run` (or go on there), write `out`.

    `out` is replaced, and the .json beside it. `tick` counts first the bodies rendered, then
    thousandths of the budget. Raises UserError as `training.fit` does.
    """
    teaching, runtime = teaching or AutoencoderTeaching(), runtime or Runtime.best()
    scenes = teaching.scenes
    lessons = render_lessons(scenes, cache, tick=tick)
    runtime.apply()
    torch.manual_seed(teaching.seed)
    learner = AutoencoderTeacher(teaching, runtime=runtime)
    batches = scene_batches(
        lessons, scenes, range(scenes.faces),
        size=teaching.config.size, people=teaching.people, each=teaching.each, seed=teaching.seed,
    )  # fmt: skip
    folder = Run.begin(run, family="autoencoder", config=teaching, data=scenes)
    loss = 0.0
    for progress in fit(
        learner, batches, folder, budget, seed=teaching.seed, workers=runtime.workers
    ):
        loss = progress.step.losses["l1"]
        tick(round(progress.fraction * 1000), 1000)
    taught = AutoencoderTaught(learner.steps, loss)
    about = {"taught": asdict(taught), "config": to_json(teaching.config)}
    write_weights(learner.average, out, about | {"scenes": asdict(scenes), "seed": teaching.seed})
    return taught


class AutoencoderTeacher:
    """Gives the faces of many actors back by one decoder, from codes that tell not who it is.

    Somebody else in the very same moment must get the same code: the truth that films lack.
    """

    def __init__(self, teaching: AutoencoderTeaching, *, runtime: Runtime) -> None:
        """Build the network on `runtime`."""
        self._teaching, self._runtime = teaching, runtime
        config = teaching.config
        self.network = runtime.network(Network(config))
        self.average = deepcopy(self.network).requires_grad_(False).eval()
        """What is written: the averaged weights."""
        self._adam = runtime.adam(self.network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self.steps = 0
        """Steps made so far."""

    def step(self, batch: SceneBatch, /) -> Losses:
        """Give the targets back and tie their codes to those of the inputs."""
        config = self._teaching.config
        targets, others, masks = (
            self._runtime.pictures(x.flatten(0, 1))
            for x in (batch.targets, batch.inputs, batch.masks)
        )
        with self._runtime.autocast():
            codes = self.network.encode(torch.cat([targets, others]))
            own, same = codes.chunk(2)
            drawn = self.network.decode((own + config.noise * torch.randn_like(own),))
        losses = {
            **drawing_losses(drawn.float(), targets, masks, config.outside),
            "tie": F.mse_loss(own.float(), same.float()),
        }
        self._move(losses)
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def preview(self, batch: SceneBatch, /) -> Tensor:
        """Rows of a face, its drawing, and the drawing of somebody else in the same moment."""
        faces = [batch.targets[:, 0], batch.inputs[:, 0]]
        drawn = [
            self.average.draw(self.average.encode(self._runtime.pictures(face)), 0)
            for face in faces
        ]
        columns = [faces[0], *(x[:, :3].float().clamp(0, 1).cpu() for x in drawn)]
        return torch.stack(columns, dim=1)

    def state_dict(self) -> dict[str, Any]:
        """Return network, average, Adam's state and the number of steps."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "adam": optimizer_state(self._adam),
            "steps": self.steps,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on where `state_dict` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        load_optimizer(self._adam, state["adam"])
        self.steps = int(state["steps"])

    def _move(self, losses: Mapping[str, Tensor]) -> None:
        config = self._teaching.config
        drawing = losses["l1"] + config.structure * losses["dssim"] + config.mask * losses["mask"]
        self._adam.zero_grad()
        (drawing + self._teaching.tie * losses["tie"]).backward()
        self.steps += 1
        for group in self._adam.param_groups:
            group["lr"] = config.rate * pace(self.steps, config.steady)
        self._adam.step()
        follow(self.average, self.network, self.steps)
