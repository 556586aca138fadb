"""Laws of the supervised swapper, its network and its teaching."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import PLAIN
from noise import noise_batches

from changeling.errors import UserError
from changeling.faces.scene_lessons import SceneBatch
from changeling.faces.scenes import Scenes
from changeling.faces.weights import read_weights, write_weights
from changeling.generators import supervised, supervised_teaching
from changeling.generators.protocols import Task
from changeling.generators.supervised import Config, Supervised
from changeling.generators.supervised_network import Shape, Swapper
from changeling.generators.supervised_teaching import (
    SwapperTeacher,
    SwapperTeaching,
    decibels,
    learnt_and_kept,
    teach_swapper,
)
from changeling.training import Budget, train

SMALL = Shape(widths=(8, 16), looked_up=(0, 1), heads=2, code=8)

pytestmark = pytest.mark.usefixtures("one_thread")


def network(size: int = 16) -> Swapper:
    torch.manual_seed(0)
    return Swapper(size, SMALL).eval()


def colours(step: int, *, people: int = 4, size: int = 16) -> SceneBatch:
    """A person is a colour, a performance is where a square of that colour is, light a factor."""
    dice = torch.Generator().manual_seed(step)
    skin = torch.rand(people, 1, 3, 1, 1, generator=dice)
    other = torch.rand(people, 3, 3, 1, 1, generator=dice)
    masks = torch.zeros(people, 3, 1, size, size)
    for mask in masks.flatten(0, 2):
        x, y = torch.randint(1, 7, (2,), generator=dice).tolist()
        mask[y : y + 8, x : x + 8] = 1
    behind = torch.rand(people, 3, 3, 1, 1, generator=dice).expand(-1, -1, -1, size, size)
    shown = masks[:, :2] * skin + (1 - masks[:, :2]) * 0.5
    return SceneBatch(
        shown, masks * other + (1 - masks) * behind, masks * skin + (1 - masks) * behind, masks
    )


class TestNetwork:
    def test_people_do_not_mix(self) -> None:
        net = network()
        faces, references = torch.rand(6, 3, 16, 16), torch.rand(4, 3, 16, 16)
        with torch.no_grad():
            both = net(faces, references, 2)
            alone = [net(faces[k * 3 :][:3], references[k * 2 :][:2], 1) for k in range(2)]
            other = net(faces, references.flip(0), 2)
        assert both.shape == (6, 4, 16, 16)
        torch.testing.assert_close(both, torch.cat(alone), rtol=1e-4, atol=1e-5)
        assert (both - other).abs().max() > 1e-4

    def test_the_order_and_number_of_pictures_do_not_matter(self) -> None:
        net = network()
        faces, references = torch.rand(2, 3, 16, 16), torch.rand(3, 3, 16, 16)
        with torch.no_grad():
            one = net(faces, references, 1)
            turned = net(faces, references.roll(1, 0), 1)
            twice = net(faces, references.repeat(2, 1, 1, 1), 1)
        torch.testing.assert_close(one, turned, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(one, twice, rtol=1e-4, atol=1e-5)

    def test_what_ships_is_small_and_whole(self) -> None:
        assert supervised.WEIGHTS.stat().st_size <= 12_000_000
        learner = Supervised(Config.laptop(Task(("a", "b"))), runtime=PLAIN)
        assert learner.swap(torch.rand(1, 3, 64, 64), to="b").faces.shape == (1, 3, 64, 64)


class TestRefining:
    def test_the_first_step_remembers_the_faces_of_each(self) -> None:
        learner = Supervised(Config.tiny(), runtime=PLAIN)
        batches = noise_batches(people=3, size=16)
        assert not learner.state_dict()["references"].any()
        for step in range(2):
            torch.manual_seed(step)
            learner.step(batches(step))
        assert torch.equal(learner.state_dict()["references"], batches(0).targets[:, :2])

    def test_few_faces_are_remembered_again_and_again(self) -> None:
        config = Config(("a", "b"), size=16, shape=SMALL, taught=False, references=7)
        learner = Supervised(config, runtime=PLAIN)
        batch = noise_batches(people=2, size=16)(0)
        learner.step(batch)
        kept = learner.state_dict()["references"]
        assert torch.equal(kept[:, 3], batch.targets[:, 0])
        assert torch.equal(kept[:, 5], batch.targets[:, 2])

    def test_inputs_that_are_recoloured_are_not_looked_at(self) -> None:
        one, other = (Supervised(Config.tiny(), runtime=PLAIN) for _ in range(2))
        other.load_state_dict(one.state_dict())
        batch = noise_batches(people=3, size=16)(0)
        odd = replace(batch, inputs=torch.zeros_like(batch.inputs))
        losses = []
        for learner, given in ((one, batch), (other, odd)):
            torch.manual_seed(0)
            losses.append(learner.step(given))
        assert losses[0] == losses[1]

    def test_refining_begins_gently(self) -> None:
        learner = Supervised(Config.tiny(), runtime=PLAIN)
        before = {k: v.clone() for k, v in learner.state_dict()["network"].items()}
        learner.step(noise_batches(people=3, size=16)(0))
        after = learner.state_dict()["network"]
        assert max(float((after[k] - before[k]).abs().max()) for k in before) < 1e-5

    def test_another_size_than_was_taught_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"size 128 .*--size 64"):
            Supervised(Config.laptop(Task(("a", "b"), size=128)), runtime=PLAIN)

    def test_it_begins_with_the_weights_that_ship(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taught = Swapper(64, SMALL)
        write_weights(taught, tmp_path / "w.safetensors", {})
        monkeypatch.setattr(supervised, "WEIGHTS", tmp_path / "w.safetensors")
        learner = Supervised(Config(("a", "b"), shape=SMALL), runtime=PLAIN)
        for name, value in learner.state_dict()["average"].items():
            assert torch.equal(value, taught.state_dict()[name].half().float())
        (tmp_path / "w.safetensors").unlink()
        with pytest.raises(UserError, match="changeling teach swapper"):
            Supervised(Config(("a", "b"), shape=SMALL), runtime=PLAIN)


@pytest.fixture(scope="module")
def teacher() -> SwapperTeacher:
    """Taught colours for 150 steps."""
    torch.manual_seed(0)
    teaching = SwapperTeaching(shape=SMALL, rate=4e-3, likeness=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervised_teaching, "SIZE", 16)
        learner = SwapperTeacher(teaching, runtime=PLAIN)
    for _ in islice(train(learner, colours, workers=0), 150):
        pass
    return learner


class TestTeaching:
    def test_people_never_seen_are_put_on(self, teacher: SwapperTeacher) -> None:
        asked = teacher.examine(colours(10_000 + k) for k in range(10))
        assert asked.swaps == 120
        assert asked.psnr > asked.unchanged + 9

    def test_the_examination_is_of_the_average(self, teacher: SwapperTeacher) -> None:
        batch = colours(20_000)
        drawn = teacher.preview(batch)
        assert drawn.shape == (4, 4, 3, 16, 16)
        assert torch.equal(drawn[:, 1], batch.inputs[:, 0])
        by_hand = decibels(drawn[:, 2], batch.targets[:, 0], batch.masks[:, 0])
        one = SceneBatch(
            batch.references, batch.inputs[:, :1], batch.targets[:, :1], batch.masks[:, :1]
        )
        assert teacher.examine([one]).psnr == pytest.approx(float(by_hand.mean()), abs=1e-3)

    def test_it_goes_on_where_it_was_left(self, teacher: SwapperTeacher) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(supervised_teaching, "SIZE", 16)
            other = SwapperTeacher(
                SwapperTeaching(shape=SMALL, rate=4e-3, likeness=0), runtime=PLAIN
            )
        other.load_state_dict(teacher.state_dict())
        left, right = other.state_dict()["average"], teacher.state_dict()["average"]
        assert other.averaged.steps == teacher.averaged.steps
        assert all(torch.equal(left[name], right[name]) for name in right)


def test_decibels_look_inside_the_mask() -> None:
    targets, masks = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 1, 4, 4)
    masks[..., :2] = 1
    faces = targets.clone()
    faces[..., 2:] = 1
    faces[..., :2] += 0.1
    assert float(decibels(faces, targets, masks)) == pytest.approx(20.0, abs=1e-3)


def test_whole_squares_are_kept_to_examine_with() -> None:
    learnt, kept = learnt_and_kept(Scenes(faces=512))
    assert (learnt, kept) == (range(496), range(496, 512))
    assert learnt_and_kept(Scenes(faces=800))[1] == range(768, 800)
    for faces in (16, 40):
        with pytest.raises(UserError, match="--actors a multiple of 16, 32 or more"):
            learnt_and_kept(Scenes(faces=faces))


def test_teaching_goes_on_and_writes_what_it_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []

    def batches(lessons: object, scenes: object, faces: range, **rest: int) -> object:
        asked.append((*faces, rest["size"]))
        return lambda step: colours(step, people=2, size=rest["size"])

    monkeypatch.setattr(supervised_teaching, "render_lessons", lambda *_, **__: None)
    monkeypatch.setattr(supervised_teaching, "scene_batches", batches)
    monkeypatch.setattr(supervised_teaching, "SIZE", 16)
    monkeypatch.setattr(supervised_teaching, "_ASKED", 2)
    teaching = SwapperTeaching(Scenes(faces=8, cast=2), SMALL, people=2, each=3)
    out = tmp_path / "weights" / "w.safetensors"
    for steps in (1, 2):
        taught = teach_swapper(
            tmp_path / "run", Budget(minutes=None, steps=steps), teaching,
            cache=tmp_path, out=out, runtime=PLAIN,
        )  # fmt: skip
        assert taught.steps == steps and taught.kept.swaps == 12
    assert asked[:2] == [(0, 1, 2, 3, 16), (4, 5, 6, 7, 16)]
    tensors, about = read_weights(out, network="swapper")
    Swapper(16, SMALL).load_state_dict(tensors)
    assert about["taught"]["steps"] == 2 and np.isfinite(about["taught"]["kept"]["psnr"])
    assert json.loads(out.with_suffix(".json").read_text())["teaching"]["people"] == 2
