"""Batches of several people's faces: pure in the step, prepared alike, targets left alone."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
import torch
from test_faceset import made

from changeling.errors import UserError
from changeling.faces import FaceSet, Jitter, PeopleBatch, people_batches
from changeling.faces.alignment import apply, inner_mask
from changeling.faces.people import GAMMA, levelling
from changeling.generators.blocks import Tones
from changeling.media import read_image, write_image

STILL = Jitter.none()
LEVELLED = replace(STILL, level=True)


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[FaceSet, ...]:
    """Three small sets of drawn faces."""
    folder = tmp_path_factory.mktemp("sets")
    return tuple(made(folder / name, count=5, seed=10 * i) for i, name in enumerate("abc"))


def same(one: PeopleBatch, other: PeopleBatch) -> bool:
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_shapes_and_ranges(sets: tuple[FaceSet, ...]) -> None:
    batch = people_batches(sets, size=32, batch=6, seed=0)(0)
    assert batch.inputs.shape == batch.targets.shape == (3, 6, 3, 32, 32)
    assert batch.masks.shape == (3, 6, 1, 32, 32)
    assert len(batch) == 18
    for tensor in vars(batch).values():
        assert tensor.dtype == torch.float32
        assert float(tensor.min()) >= 0
        assert float(tensor.max()) <= 1
    assert 0.3 < float(batch.masks.mean()) < 0.95
    assert batch.eyes.shape == (3, 6, 1, 32, 32)
    assert 0.02 < float(batch.eyes.mean()) < 0.2


def test_batches_are_pure_in_the_step_and_the_seed(sets: tuple[FaceSet, ...]) -> None:
    batches = people_batches(sets, size=32, batch=4, seed=1)
    late = batches(9)
    batches(3)
    assert same(late, batches(9))
    assert not same(late, batches(10))
    assert not same(late, people_batches(sets, size=32, batch=4, seed=2)(9))


def test_threads_change_nothing(sets: tuple[FaceSet, ...]) -> None:
    batches = people_batches(sets, size=32, batch=4, seed=1)
    alone = [batches(step) for step in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(batches, range(6)))
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))


def test_without_jitter_a_target_is_the_centre_of_a_stored_face(sets: tuple[FaceSet, ...]) -> None:
    batch = people_batches(sets, size=32, batch=8, seed=0, jitter=STILL)(0)
    assert float((batch.inputs - batch.targets).abs().max()) < 0.01
    for person, faces in enumerate(sets):
        centres = faces.pixels()[:, 6:38, 6:38].astype(np.float32) / 255
        for target, mask in zip(batch.targets[person], batch.masks[person], strict=True):
            errors = np.abs(centres - target.permute(1, 2, 0).numpy()).max((1, 2, 3))
            assert errors.min() < 1e-6
            face = faces.faces[int(errors.argmin())]
            assert np.abs(inner_mask(face.landmarks, face.matrix, 32) - mask[0].numpy()).max() < 0.1


def test_warp_and_colour_leave_the_targets_alone(sets: tuple[FaceSet, ...]) -> None:
    still = people_batches(sets, size=32, batch=8, seed=0, jitter=STILL)(4)
    warped = people_batches(sets, size=32, batch=8, seed=0, jitter=replace(STILL, warp=0.05))(4)
    lit = people_batches(sets, size=32, batch=8, seed=0, jitter=replace(STILL, light=0.2))(4)
    for other in (warped, lit):
        assert torch.equal(still.targets, other.targets)
        assert torch.equal(still.masks, other.masks)
        assert float((still.inputs - other.inputs).abs().mean()) > 0.01


def test_the_eyes_are_where_their_landmarks_are(sets: tuple[FaceSet, ...]) -> None:
    still = people_batches(sets[:1], size=32, batch=1, seed=0, jitter=STILL)(0)
    turned = people_batches(sets[:1], size=32, batch=1, seed=0, jitter=replace(STILL, mirror=1))(0)
    assert float((turned.eyes - still.eyes.flip(-1)).abs().max()) < 0.1
    pixels = sets[0].crops().astype(np.float32) / 255
    target = still.targets[0, 0].permute(1, 2, 0).numpy()
    face = sets[0].faces[int(np.abs(pixels - target).max((1, 2, 3)).argmin())]
    places = np.floor(apply(face.matrix, face.landmarks) * 32).astype(int)
    assert all(still.eyes[0, 0, 0, y, x] > 0.6 for x, y in places[36:48])
    assert all(still.eyes[0, 0, 0, y, x] == 0 for x, y in places[[27, 30, 48, 54]])


def test_mirroring_and_light_are_alike_for_all_people(sets: tuple[FaceSet, ...]) -> None:
    twins = (sets[0], sets[0])
    for jitter in (replace(STILL, mirror=0.5), replace(STILL, light=0.3, tint=0.1)):
        batch = people_batches(twins, size=32, batch=30, seed=3, jitter=jitter)(0)
        plain = people_batches(twins, size=32, batch=30, seed=3, jitter=STILL)(0)
        changed = (batch.inputs - plain.inputs).abs().mean((2, 3, 4)) > 1e-3
        assert torch.equal(changed[0], changed[1])
        assert changed[0].any()
    gain = batch.inputs.mean((2, 3, 4)) / plain.inputs.mean((2, 3, 4))
    assert float(torch.corrcoef(gain)[0, 1]) > 0.95
    assert float(gain.std()) > 0.1


def test_the_light_of_a_scene_falls_on_input_and_target_alike(sets: tuple[FaceSet, ...]) -> None:
    twins = (sets[0], sets[0])
    batch = people_batches(twins, size=32, batch=30, seed=3, jitter=replace(STILL, scene=0.3))(0)
    plain = people_batches(twins, size=32, batch=30, seed=3, jitter=STILL)(0)
    assert torch.equal(batch.masks, plain.masks)
    assert float((batch.inputs - batch.targets).abs().max()) < 0.03, "no more than rounding"
    gain = batch.targets.mean((2, 3, 4)) / plain.targets.mean((2, 3, 4))
    assert float(torch.corrcoef(gain)[0, 1]) > 0.95, "alike for all people"
    assert 0.1 < float(gain.std()) < 0.35 and float(gain.min()) < 0.7
    assert float((batch.targets > 0.99).float().mean()) < 0.05, "little is clipped"


def test_an_input_is_as_bright_as_its_target_by_default(sets: tuple[FaceSet, ...]) -> None:
    """Else a network guesses the light instead of seeing it, too bright in the dark."""
    jitter = replace(STILL, scene=Jitter.scene, light=Jitter.light, tint=Jitter.tint)
    batch = people_batches((sets[0], sets[0]), size=32, batch=60, seed=3, jitter=jitter)(0)
    seen, wanted = (x[0].mean((1, 2, 3)).log() for x in (batch.inputs, batch.targets))
    shrunk = torch.cov(torch.stack([seen, wanted]))
    assert float(shrunk[0, 1] / shrunk[0, 0]) > 0.8, "the slope of the best guess"


def test_a_mirrored_target_is_a_stored_face_from_the_other_side(sets: tuple[FaceSet, ...]) -> None:
    plain = people_batches(sets, size=32, batch=8, seed=0, jitter=STILL)(0)
    turned = people_batches(sets, size=32, batch=8, seed=0, jitter=replace(STILL, mirror=1))(0)
    assert float((turned.targets - plain.targets.flip(-1)).abs().max()) < 1e-6
    assert float((turned.masks - plain.masks.flip(-1)).abs().mean()) < 0.01


def test_levelled_colours_do_not_tell_the_people_apart(tmp_path: Path) -> None:
    dark, light = made(tmp_path / "dark", seed=1), made(tmp_path / "light", seed=1)
    for png in dark.folder.glob("*.png"):
        write_image(png, read_image(png) // 3)
    batch = people_batches((dark, light), size=32, batch=64, seed=0, jitter=LEVELLED)(0)
    told = [(part * batch.masks).mean((1, 3, 4)) for part in (batch.inputs, batch.targets)]
    gaps = [float((means[0] - means[1]).abs().max()) for means in told]
    assert gaps[0] < 0.1 * gaps[1]
    ratio = batch.tones[0] / batch.tones[1]
    assert ratio.tolist() == pytest.approx([3**-GAMMA] * 3, rel=0.1), "of light, not of levels"


def test_levelling_keeps_what_light_did_to_each_face(sets: tuple[FaceSet, ...]) -> None:
    """A factor for each person, not for each face: the network has to see the light."""
    batch = people_batches(sets, size=32, batch=8, seed=0, jitter=LEVELLED)(0)
    plain = people_batches(sets, size=32, batch=8, seed=0, jitter=STILL)(0)
    factors = levelling(batch.tones)
    assert factors.log().sum(0).abs().max() < 1e-5, "the common colour is the geometric mean"
    light = (plain.inputs.pow(GAMMA) * factors[:, None, :, None, None]).clamp(0, 1).pow(1 / GAMMA)
    assert float((batch.inputs - light).abs().max()) < 0.01
    assert torch.equal(plain.tones, torch.ones_like(batch.tones)), "nothing was levelled"


def test_what_is_swapped_is_levelled_as_what_was_learnt_from(sets: tuple[FaceSet, ...]) -> None:
    batch = people_batches(sets, size=32, batch=8, seed=0, jitter=LEVELLED)(0)
    tones = Tones(("a", "b"))
    tones.values = batch.tones
    for person, name, to in ((0, "a", "b"), (1, "b", "a")):
        plain, wanted = batch.targets[person], batch.inputs[person]
        assert float((tones.levelled(plain, to=to, of=None) - wanted).abs().max()) < 0.01
        assert float((tones.levelled(plain, to=name, of=name) - wanted).abs().max()) < 0.01
    assert float((tones.levelled(plain, to="b", of=None) - wanted).abs().max()) > 0.02


def test_a_set_with_one_face_and_a_set_too_small_are_refused(
    tmp_path: Path, sets: tuple[FaceSet, ...]
) -> None:
    one = made(tmp_path / "one", count=1)
    with pytest.raises(UserError, match=r"one holds 1 face.*at least 2"):
        people_batches((sets[0], one), size=32, batch=4, seed=0)
    with pytest.raises(UserError, match="--size 64"):
        people_batches(sets, size=64, batch=4, seed=0)


def test_smaller_faces_can_be_drawn_from_a_set(sets: tuple[FaceSet, ...]) -> None:
    whole = people_batches(sets, size=32, batch=4, seed=0, jitter=STILL)(0)
    half = people_batches(sets, size=16, batch=4, seed=0, jitter=STILL)(0)
    pooled = torch.nn.functional.avg_pool2d(whole.targets.flatten(0, 1), 2).unflatten(0, (3, 4))
    assert float((half.targets - pooled).abs().mean()) < 0.02


def test_people_batch_is_light_to_import() -> None:
    heavy = ("av", "c2pa", "anny", "warp")
    code = (
        "import sys\nfrom changeling.faces.people import PeopleBatch\n"
        "import changeling.faces as faces\nassert faces.PeopleBatch is PeopleBatch\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
