"""Contracts that every registered family keeps: a new family is covered by being registered."""

import subprocess
import sys
from dataclasses import is_dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from golden import PLAIN, first_losses, recorded
from noise import batches_for
from torch import Tensor

from changeling.errors import UserError
from changeling.generators import (
    FAMILIES,
    Learns,
    Task,
    configuration,
    family,
    load_generator,
)
from changeling.training import (
    Budget,
    Run,
    Runtime,
    fit,
    from_json,
    load_state,
    save_state,
    to_json,
    train,
)

FAST = replace(PLAIN, channels_last=True, fused=True)
HALF = replace(FAST, precision=torch.bfloat16)


SWAPPING = [name for name in FAMILIES if hasattr(FAMILIES[name].learner, "swap")]
DRAWING = [name for name in FAMILIES if hasattr(FAMILIES[name].learner, "draw")]
RESTORING = [name for name in FAMILIES if hasattr(FAMILIES[name].learner, "restore")]
PEOPLED = [name for name in FAMILIES if FAMILIES[name].learns is Learns.PEOPLE]
RUNTIMES = {"plain": PLAIN, "fast": FAST, "half": HALF}

pytestmark = pytest.mark.usefixtures("one_thread")


def make(name: str, runtime: Runtime = PLAIN, seed: int = 0) -> Any:  # noqa: ANN401
    """Return a tiny learner of the family, its weights drawn from the seed."""
    torch.manual_seed(seed)
    return FAMILIES[name].learner(FAMILIES[name].config.tiny(), runtime=runtime)


def tensors(state: object) -> dict[str, Tensor]:
    """Return the tensors of a nested state, copied, by their path; numbers as tensors too."""
    if isinstance(state, Tensor):
        return {"": state.clone()}
    if isinstance(state, dict):
        return {f"{key}/{at}": x for key, item in state.items() for at, x in tensors(item).items()}
    return {"": torch.tensor(state)}


def assert_same(one: object, other: object) -> None:
    left, right = tensors(one), tensors(other)
    assert left.keys() == right.keys()
    assert [at for at in left if not torch.equal(left[at], right[at])] == []


def steps(
    learner: Any,  # noqa: ANN401
    name: str,
    *,
    start: int,
    count: int,
) -> None:
    for _ in islice(train(learner, batches_for(name), start=start, seed=5, workers=0), count):
        pass


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", FAMILIES)
class TestLearning:
    def test_every_weight_moves_in_the_first_steps(self, name: str, runtime: str) -> None:
        learner = make(name, RUNTIMES[runtime])
        before = tensors(learner.state_dict()["network"])
        steps(learner, name, start=0, count=4)
        after = tensors(learner.state_dict()["network"])
        assert [at for at in before if torch.equal(before[at], after[at])] == []

    def test_losses_are_finite_scalar_detached(self, name: str, runtime: str) -> None:
        losses = make(name, RUNTIMES[runtime]).step(batches_for(name)(0))
        assert losses
        for loss in losses.values():
            assert loss.shape == () and loss.isfinite() and not loss.requires_grad

    def test_saving_and_loading_between_steps_changes_no_bit(
        self, name: str, runtime: str, tmp_path: Path
    ) -> None:
        whole = make(name, RUNTIMES[runtime])
        steps(whole, name, start=0, count=4)
        first = make(name, RUNTIMES[runtime])
        steps(first, name, start=0, count=2)
        save_state(tmp_path / "state.safetensors", first.state_dict())
        second = make(name, RUNTIMES[runtime], seed=1)
        second.load_state_dict(load_state(tmp_path / "state.safetensors", mend=""))
        assert_same(first.state_dict(), second.state_dict())
        steps(second, name, start=2, count=2)
        assert_same(whole.state_dict(), second.state_dict())

    def test_preview_trains_nothing(self, name: str, runtime: str) -> None:
        learner, batch = make(name, RUNTIMES[runtime]), batches_for(name)(0)
        learner.step(batch)
        before, dice = tensors(learner.state_dict()), torch.get_rng_state()
        grid = learner.preview(batch)
        assert_same(before, tensors(learner.state_dict()))
        assert torch.equal(dice, torch.get_rng_state())
        size = learner.size
        assert grid.shape[2:] == (3, size, size) and grid.dtype == torch.float32
        assert grid.min() >= 0 and grid.max() <= 1


@pytest.mark.parametrize("runtime", RUNTIMES)
class TestUses:
    @pytest.mark.parametrize("name", SWAPPING)
    def test_swap_has_shape_and_range(self, name: str, runtime: str) -> None:
        learner = make(name, RUNTIMES[runtime])
        learner.step(batches_for(name)(0))
        for count in (1, 5):
            swapped = learner.swap(torch.rand(count, 3, learner.size, learner.size), to="b")
            assert swapped.faces.shape == (count, 3, learner.size, learner.size)
            assert swapped.masks.shape == (count, 1, learner.size, learner.size)
            for picture in (swapped.faces, swapped.masks):
                assert_picture(picture)

    @pytest.mark.parametrize("name", DRAWING)
    def test_draw_has_shape_and_range_and_its_seed(self, name: str, runtime: str) -> None:
        learner = make(name, RUNTIMES[runtime])
        learner.step(batches_for(name)(0))
        before, dice = tensors(learner.state_dict()), torch.get_rng_state()
        one, same, other = (learner.draw(3, seed=seed) for seed in (1, 1, 2))
        assert_same(before, tensors(learner.state_dict()))
        assert torch.equal(dice, torch.get_rng_state())
        assert one.shape == (3, learner.channels, learner.size, learner.size)
        assert_picture(one)
        assert torch.equal(one, same) and not torch.equal(one, other)
        with pytest.raises(UserError, match="kind"):
            learner.draw(1, seed=0, kind=learner.kinds)

    @pytest.mark.parametrize("name", RESTORING)
    def test_restore_keeps_the_shape(self, name: str, runtime: str) -> None:
        learner = make(name, RUNTIMES[runtime])
        learner.step(batches_for(name)(0))
        spoilt = torch.rand(3, learner.channels, learner.size, learner.size)
        restored = learner.restore(spoilt)
        assert restored.shape == spoilt.shape
        assert_picture(restored)


def assert_picture(picture: Tensor) -> None:
    assert picture.dtype == torch.float32 and picture.is_contiguous() and not picture.requires_grad
    assert picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize("name", FAMILIES)
class TestFamilies:
    def test_first_losses_are_the_recorded_ones(self, name: str) -> None:
        for mine, theirs in zip(first_losses(name), recorded(name), strict=True):
            assert mine == pytest.approx(theirs, rel=2e-3, abs=2e-4)

    def test_runtimes_learn_alike(self, name: str) -> None:
        """Three steps in another layout, and in half precision, come to nearly the same losses."""
        losses = []
        for runtime in (PLAIN, FAST, HALF):
            learner = make(name, runtime)
            torch.manual_seed(1)
            steps = [learner.step(batches_for(name)(i)) for i in range(3)]
            losses.append([float(loss) for step in steps for loss in step.values()])
        assert losses[1] == pytest.approx(losses[0], rel=1e-4, abs=1e-5)
        assert losses[2] == pytest.approx(losses[0], rel=5e-2, abs=5e-3)

    def test_the_configuration_survives_json(self, name: str) -> None:
        config = FAMILIES[name].config.tiny()
        assert is_dataclass(config)
        assert from_json(FAMILIES[name].config, to_json(config)) == config

    def test_an_unknown_preset_is_refused(self, name: str) -> None:
        with pytest.raises(UserError, match=rf"{name} has no preset 'x': give one of laptop"):
            configuration(name, Task(("a", "b")), preset="x")

    def test_wrong_size_is_refused(self, name: str) -> None:
        config = replace(FAMILIES[name].config.tiny(), size=17)
        with pytest.raises(UserError, match=r"size 17 .*multiple of .*--size (16|32)$"):
            FAMILIES[name].learner(config, runtime=PLAIN)


@pytest.mark.parametrize("name", ["dcgan", "stylegan"])
def test_a_step_of_one_picture_is_refused(name: str) -> None:
    config = replace(FAMILIES[name].config.tiny(), batch=1)
    with pytest.raises(UserError, match=r"1 picture\(s\) has no variety .* --batch 2"):
        FAMILIES[name].learner(config, runtime=PLAIN)


@pytest.mark.parametrize("name", PEOPLED)
class TestPeople:
    def test_the_preview_shows_the_targets_first(self, name: str) -> None:
        learner, batch = make(name), batches_for(name)(0)
        learner.step(batch)
        assert torch.equal(learner.preview(batch)[0, 0], batch.targets[0, 0])

    def test_unknown_person_is_refused(self, name: str) -> None:
        learner = make(name)
        with pytest.raises(UserError, match=r"nobody called 'z'.*--to one of a, b"):
            learner.swap(torch.rand(1, 3, learner.size, learner.size), to="z")

    def test_whoever_learns_from_levelled_faces_levels_what_is_swapped(self, name: str) -> None:
        """And nobody else: who learns from faces as they are swaps them as they are."""
        batch = batches_for(name)(0)
        tones = torch.tensor([0.1, 0.4, 0.2])[: len(batch.tones), None].expand(-1, 3)
        learner, blind = make(name), make(name)
        other_inputs = replace(batch, inputs=1 - batch.inputs)
        for taught, given in ((learner, replace(batch, tones=tones)), (blind, other_inputs)):
            torch.manual_seed(0)
            taught.step(given)
        left, right = (tensors(one.state_dict()["network"]) for one in (learner, blind))
        looks = any(not torch.equal(left[at], right[at]) for at in left)
        faces = torch.rand(2, 3, learner.size, learner.size)
        one, other, unsaid = (learner.swap(faces, to="b", of=of).faces for of in ("a", "b", None))
        assert torch.equal(one, other) != looks
        assert torch.equal(unsaid, other) != looks

    @pytest.mark.parametrize("people", [(), ("a",), ("a", "a")])
    def test_fewer_than_two_people_are_refused(self, name: str, people: tuple[str, ...]) -> None:
        config = replace(FAMILIES[name].config.tiny(), people=people)
        with pytest.raises(UserError, match="two or more people"):
            FAMILIES[name].learner(config, runtime=PLAIN)

    def test_a_trained_run_opens_as_what_was_trained(self, name: str, tmp_path: Path) -> None:
        learner = make(name)
        run = Run.begin(
            tmp_path / "run", family=name, config=FAMILIES[name].config.tiny(), data=Budget()
        )
        for _ in fit(learner, batches_for(name), run, Budget(minutes=None, steps=2), workers=0):
            pass
        opened = load_generator(tmp_path / "run", runtime=PLAIN)
        faces = torch.rand(2, 3, learner.size, learner.size)
        assert opened.people == learner.people and opened.size == learner.size
        assert torch.equal(opened.swap(faces, to="b").faces, learner.swap(faces, to="b").faces)


def test_opening_what_cannot_be_opened(tmp_path: Path) -> None:
    name = next(iter(FAMILIES))
    tiny = FAMILIES[name].config.tiny()
    with pytest.raises(UserError, match=r"no config\.json"):
        load_generator(tmp_path)
    run = Run.begin(tmp_path / "empty", family=name, config=tiny, data=Budget())
    with pytest.raises(UserError, match="no checkpoint yet: train it first"):
        load_generator(run.folder, runtime=PLAIN)
    run.save(1, 1.0, {"network": {}})
    with pytest.raises(UserError, match=r"does not fit its config\.json"):
        load_generator(run.folder, runtime=PLAIN)
    Run.begin(tmp_path / "odd", family="odd", config=tiny, data=Budget())
    with pytest.raises(UserError, match="no family 'odd': give one of autoencoder"):
        load_generator(tmp_path / "odd", runtime=PLAIN)
    with pytest.raises(UserError, match="no family 'x'"):
        family("x")


def test_nothing_heavy_is_imported() -> None:
    """Training and the families work where video, signing and rendering are not installed."""
    heavy = ("av", "c2pa", "anny", "warp", "tyro")
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy}));"
        "import changeling.training, changeling.generators"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
