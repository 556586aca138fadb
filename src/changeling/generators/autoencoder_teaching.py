"""Teaching the encoder and the decoder with which an autoencoder of two people may begin."""

from collections.abc import Mapping
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
from changeling.generators.autoencoder import Config
from changeling.generators.blocks import drawing_losses, drawing_sum, flattened
from changeling.generators.twins import WEIGHTS, Sphere
from changeling.media import Tick, silent
from changeling.training import Budget, Losses, Run, Runtime, fit, to_json
from changeling.training.averaged import Averaged


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
    taught = AutoencoderTaught(learner.averaged.steps, loss)
    about = {"taught": asdict(taught), "config": to_json(teaching.config)}
    write_weights(
        learner.averaged.average, out, about | {"scenes": asdict(scenes), "seed": teaching.seed}
    )
    return taught


class AutoencoderTeacher:
    """Gives the faces of many actors back by one decoder, from codes that tell not who it is.

    Somebody else in the very same moment must get the same code: the truth that films lack.
    """

    def __init__(self, teaching: AutoencoderTeaching, *, runtime: Runtime) -> None:
        """Build the network on `runtime`."""
        self._teaching, self._runtime = teaching, runtime
        config = teaching.config
        network = runtime.network(Sphere(config.layout, people=1))
        adam = runtime.adam(network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self.averaged = Averaged(network, adam, steady=config.steady)
        """The network; what is written are its averaged weights."""

    def step(self, batch: SceneBatch, /) -> Losses:
        """Give the targets back and tie their codes to those of the inputs."""
        config = self._teaching.config
        faces = (batch.targets, batch.inputs, batch.masks)
        targets, others, masks = flattened(self._runtime, *faces)
        with self._runtime.autocast():
            codes = self.averaged.network.encode(torch.cat([targets, others]))
            own, same = codes.chunk(2)
            drawn = self.averaged.network.decode((own + config.noise * torch.randn_like(own),))
        losses = {
            **drawing_losses(drawn.float(), targets, masks, config.outside),
            "tie": F.mse_loss(own.float(), same.float()),
        }
        drawing = drawing_sum(losses, config.structure, config.mask)
        self.averaged.move(drawing + self._teaching.tie * losses["tie"])
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def preview(self, batch: SceneBatch, /) -> Tensor:
        """Rows of a face, its drawing, and the drawing of somebody else in the same moment."""
        faces, network = [batch.targets[:, 0], batch.inputs[:, 0]], self.averaged.average
        drawn = [network.draw(network.encode(self._runtime.pictures(face)), 0) for face in faces]
        columns = [faces[0], *(x[:, :3].float().clamp(0, 1).cpu() for x in drawn)]
        return torch.stack(columns, dim=1)

    def state_dict(self) -> dict[str, Any]:
        """Return network, average, Adam's state and the number of steps."""
        return self.averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on where `state_dict` was taken."""
        self.averaged.load_state_dict(state)
