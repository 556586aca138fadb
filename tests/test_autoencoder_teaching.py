"""The taught beginning of the autoencoder: what it learns, and what two people begin with."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from golden import PLAIN
from torch import Tensor
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.scene_lessons import SceneBatch
from changeling.faces.weights import read_weights, write_weights
from changeling.generators import Task, twins
from changeling.generators.autoencoder import Autoencoder, Config
from changeling.generators.autoencoder_teaching import AutoencoderTeacher, AutoencoderTeaching
from changeling.generators.twins import WEIGHTS, Sphere
from changeling.training import to_json

ANYBODY = replace(Config.tiny(), people=("anybody",))

pytestmark = pytest.mark.usefixtures("one_thread")


def scene(seed: int = 0) -> SceneBatch:
    """Two people with three moments each, in which somebody else is a little darker."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(6, 3, 4, 4, generator=generator)
    targets = F.interpolate(coarse, (16, 16), mode="bilinear").unflatten(0, (2, 3))
    references = torch.zeros(2, 1, 3, 16, 16)
    return SceneBatch(references, 0.8 * targets, targets, torch.ones(2, 3, 1, 16, 16))


def make(tie: float = 0.1) -> AutoencoderTeacher:
    torch.manual_seed(0)
    teaching = AutoencoderTeaching(config=replace(ANYBODY, noise=0.0), tie=tie)
    return AutoencoderTeacher(teaching, runtime=PLAIN)


def last_losses(learner: AutoencoderTeacher, steps: int = 60) -> dict[str, float]:
    losses: dict[str, Tensor] = {}
    for _ in range(steps):
        losses = dict(learner.step(scene()))
    return {name: float(loss) for name, loss in losses.items()}


def test_it_learns_the_faces_and_to_see_the_same_moment_in_two_people() -> None:
    first = {name: float(loss) for name, loss in make().step(scene()).items()}
    tied, free = last_losses(make(tie=3.0)), last_losses(make(tie=0.0))
    assert tied["l1"] < 0.8 * first["l1"]
    assert tied["tie"] < 0.5 * free["tie"]


def test_saving_and_loading_changes_no_bit() -> None:
    whole, first = make(), make()
    last_losses(whole, 4)
    last_losses(first, 2)
    second = make(tie=0.1)
    second.load_state_dict(first.state_dict())
    last_losses(second, 2)
    one, other = whole.state_dict()["average"], second.state_dict()["average"]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_preview_shows_targets_first() -> None:
    batch = scene()
    grid = make().preview(batch)
    assert grid.shape == (2, 3, 3, 16, 16)
    assert torch.equal(grid[:, 0], batch.targets[:, 0])


def test_everybody_begins_with_the_decoder_that_was_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "autoencoder.safetensors"
    monkeypatch.setattr(twins, "WEIGHTS", weights)
    network = Sphere(ANYBODY.layout, 1)
    write_weights(network, weights, {"config": to_json(ANYBODY)})
    learner = Autoencoder(replace(Config.tiny(), taught=True), runtime=PLAIN)
    taught = {name: x.half().float() for name, x in network.state_dict().items()}
    begun = learner.state_dict()["network"]
    decoders = [name for name in taught if name.startswith("decoders.0.")]
    for person in range(3):
        for name in decoders:
            assert torch.equal(begun[name.replace(".0.", f".{person}.", 1)], taught[name])
    assert all(torch.equal(begun[name], taught[name]) for name in taught)
    with pytest.raises(UserError, match=r"faces of 16 pixels, widths .*: give --size 16"):
        Autoencoder(replace(Config.tiny(), size=32, taught=True), runtime=PLAIN)


def test_the_laptop_begins_with_what_was_taught() -> None:
    task = Task(("a", "b", "c"))
    torch.manual_seed(0)
    laptop, scratch = (
        Autoencoder(config, runtime=PLAIN).state_dict()["network"]
        for config in (Config.laptop(task), Config.scratch(task))
    )
    taught, _ = read_weights(WEIGHTS, network="autoencoder")
    assert torch.equal(laptop["encoder.1.weight"], taught["encoder.1.weight"])
    assert torch.equal(laptop["decoders.2.0.weight"], taught["decoders.0.0.weight"])
    assert not torch.equal(scratch["encoder.1.weight"], taught["encoder.1.weight"])
    assert WEIGHTS.stat().st_size <= 8_000_000
    assert Config.laptop(Task(("a", "b"), 128)) == Config.scratch(Task(("a", "b"), 128))
