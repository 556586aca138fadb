"""Teaching the swapper that ships by the true answers of rendered scenes, and examining it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.identity import SIZE as IDENTITY_SIZE
from changeling.faces.identity import read_network
from changeling.faces.renders import render_lessons
from changeling.faces.scene_lessons import SceneBatch, scene_batches
from changeling.faces.scenes import Scenes
from changeling.faces.weights import write_weights
from changeling.generators.blocks import drawing_losses, drawing_sum
from changeling.generators.supervised import SIZE, WEIGHTS
from changeling.generators.supervised_network import Shape, Swapper
from changeling.media import Tick, silent
from changeling.training import Budget, Losses, Run, Runtime, fit
from changeling.training.averaged import Averaged

_KEPT = 0.04
"""Share of the squares of faces that are not learnt from, one at least."""
_ASKED = 50
"""Batches of an examination."""


@dataclass(frozen=True)
class SwapperTeaching:
    """How the swapper is taught."""

    scenes: Scenes = field(default_factory=Scenes)
    """What is rendered to learn from."""
    shape: Shape = field(default_factory=Shape)
    """The network."""
    people: int = 4
    """People in a step."""
    each: int = 4
    """Faces to give back as each of them."""
    rate: float = 1e-3
    """Learning rate of Adam after its warm-up and before its decay."""
    steady: int = 2500
    """Steps after which the learning rate begins to fall with the root of the step."""
    structure: float = 0.25
    """Weight of the structural dissimilarity beside the absolute difference."""
    outside: float = 0.1
    """Weight of a pixel outside the face, where one inside weighs 1."""
    mask: float = 0.1
    """Weight of the mask's loss."""
    likeness: float = 0.05
    """Weight of how unlike the answer the identity network finds the drawing; 0: not asked."""
    steepest: float = 1.0
    """Length that a step's gradient is shortened to where it is longer."""
    seed: int = 0
    """Seed of weights, samples and jitter."""


@dataclass(frozen=True)
class SwapperExamination:
    """How near faces not learnt from come to the true answer, inside the inner face."""

    swaps: int
    psnr: float
    """Mean over the swaps, dB."""
    unchanged: float
    """The same of the faces given back as they are."""


@dataclass(frozen=True)
class SwapperTaught:
    """What came out."""

    steps: int
    """Training steps."""
    kept: SwapperExamination
    """With the faces not learnt from."""


def teach_swapper(
    run: Path,
    budget: Budget,
    teaching: SwapperTeaching | None = None,
    *,
    cache: Path,
    out: Path = WEIGHTS,
    runtime: Runtime | None = None,
    tick: Tick = silent,
) -> SwapperTaught:
    """Render scenes into `cache`, teach in the folder `run` (or go on there), write `out`.

    `out` is replaced, and the .json beside it, which holds its SHA-256 and the examination. `tick`
    counts first the bodies rendered, then thousandths of the budget. Raises UserError for faces
    that do not fill two squares or more, and as `training.fit` does.
    """
    teaching, runtime = teaching or SwapperTeaching(), runtime or Runtime.best()
    learnt, kept = learnt_and_kept(teaching.scenes)
    lessons = render_lessons(teaching.scenes, cache, tick=tick)
    runtime.apply()
    torch.manual_seed(teaching.seed)
    learner = SwapperTeacher(teaching, runtime=runtime)
    batches, asked = (
        scene_batches(
            lessons, teaching.scenes, faces,
            size=SIZE, people=teaching.people, each=teaching.each, seed=teaching.seed,
        )
        for faces in (learnt, kept)
    )  # fmt: skip
    folder = Run.begin(run, family="swapper", config=teaching, data=teaching.scenes)
    steps = fit(learner, batches, folder, budget, seed=teaching.seed, workers=runtime.workers)
    for progress in steps:
        tick(round(progress.fraction * 1000), 1000)
    taught = SwapperTaught(learner.averaged.steps, learner.examine(asked(k) for k in range(_ASKED)))
    write_weights(
        learner.averaged.average, out, {"taught": asdict(taught), "teaching": asdict(teaching)}
    )
    return taught


def learnt_and_kept(scenes: Scenes) -> tuple[range, range]:
    """Numbers of the faces to teach with, and of the last squares, to examine with.

    Raises UserError when the faces do not fill whole squares, or fewer than two.
    """
    square = scenes.cast**2
    squares, rest = divmod(scenes.faces, square)
    if rest or squares < 2:
        raise UserError(
            f"{scenes.faces} faces do not fill squares of {square}: give --actors a multiple of "
            f"{square}, {2 * square} or more."
        )
    border = square * (squares - max(1, round(squares * _KEPT)))
    return range(border), range(border, scenes.faces)


class SwapperTeacher:
    """Teaches a `Swapper`; keeps an average of its weights, which is what ships."""

    def __init__(self, teaching: SwapperTeaching, *, runtime: Runtime) -> None:
        self._teaching, self._runtime = teaching, runtime
        network = runtime.network(Swapper(SIZE, teaching.shape))
        adam = runtime.adam(network.parameters(), rate=teaching.rate, betas=(0.9, 0.99))
        self.averaged = Averaged(network, adam, steady=teaching.steady, steepest=teaching.steepest)
        """The network; what is written are its averaged weights."""
        self._identity = runtime.network(read_network()[0]).requires_grad_(False).eval()

    def step(self, batch: SceneBatch, /) -> Losses:
        """Draw every face as its person; move the weights and their average."""
        drawn = self._drawn(self.averaged.network, batch)
        targets, masks = self._moved(batch.targets), self._moved(batch.masks)
        losses = drawing_losses(drawn, targets, masks, self._teaching.outside)
        if self._teaching.likeness:
            losses["unlike"] = self._unlike(targets.lerp(drawn[:, :3], masks), targets)
        self.averaged.move(self._total(losses))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: SceneBatch, /) -> Tensor:
        """Rows of a picture of the person, the face, the drawing and the true answer."""
        with torch.no_grad():
            drawn = self._drawn(self.averaged.average, batch)[:, :3].clamp(0, 1)
        first = drawn.unflatten(0, batch.inputs.shape[:2])[:, 0].cpu()
        columns = [batch.references[:, 0], batch.inputs[:, 0], first, batch.targets[:, 0]]
        return torch.stack(columns, dim=1)

    def examine(self, batches: Iterable[SceneBatch]) -> SwapperExamination:
        """Score the averaged network's drawings of these batches."""
        drawn, unchanged = [], []
        for batch in batches:
            targets, masks = self._moved(batch.targets), self._moved(batch.masks)
            with torch.no_grad():
                faces = self._drawn(self.averaged.average, batch)[:, :3].clamp(0, 1)
            drawn.append(decibels(faces, targets, masks))
            unchanged.append(decibels(self._moved(batch.inputs), targets, masks))
        psnr, before = torch.cat(drawn), torch.cat(unchanged)
        return SwapperExamination(len(psnr), float(psnr.mean()), float(before.mean()))

    def state_dict(self) -> dict[str, Any]:
        """Network, average, Adam's state and the number of steps."""
        return self.averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Goes on where `state_dict` was taken."""
        self.averaged.load_state_dict(state)

    def _drawn(self, network: Swapper, batch: SceneBatch) -> Tensor:
        inputs, references = self._moved(batch.inputs), self._moved(batch.references)
        with self._runtime.autocast():
            drawn: Tensor = network(inputs, references, len(batch.inputs))
        return drawn.float()

    def _unlike(self, faces: Tensor, targets: Tensor) -> Tensor:
        """How far the identity network's embeddings are from those of the targets, 0…2."""
        one, other = (
            self._identity(F.interpolate(pictures, (IDENTITY_SIZE, IDENTITY_SIZE), mode="bilinear"))
            for pictures in (faces, targets)
        )
        return (1 - (one * other).sum(1)).mean()

    def _moved(self, pictures: Tensor) -> Tensor:
        """(p, n, …) → (p · n, …)"""
        return self._runtime.pictures(pictures.flatten(0, 1))

    def _total(self, losses: Mapping[str, Tensor]) -> Tensor:
        teaching = self._teaching
        total = drawing_sum(losses, teaching.structure, teaching.mask)
        if "unlike" in losses:
            total = total + teaching.likeness * losses["unlike"]
        return total


def decibels(faces: Tensor, targets: Tensor, masks: Tensor) -> Tensor:
    """(n,) PSNR of faces (n, 3, s, s) in 0…1 where masks (n, 1, s, s) are above a half."""
    inner = (masks > 0.5).float()
    error = ((faces - targets).square().mean(1, keepdim=True) * inner).sum((1, 2, 3))
    return -10 * torch.log10(error / inner.sum((1, 2, 3)))
