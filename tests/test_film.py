"""A film is signed, carries its truth and its recipe, and proves itself by being rendered again."""

import sys
from dataclasses import asdict, fields, replace
from fractions import Fraction
from json import dumps
from pathlib import Path

import numpy as np
import pytest
from cast import ACTOR, OTHER

from changeling.actors import ACTIONS, Actor, Film, Performance, film, prove, read_truth, render
from changeling.actors.film import FACT
from changeling.errors import UserError
from changeling.media import Frame, FrameWriter, Pixels, probe, read_frames
from changeling.provenance import Credential, Source, State, publish, verify

SIZE = (112, 80)
RATE = Fraction(30000, 1001)


def played() -> Performance:
    return Performance.from_seed(4, seconds=0.2, rate=RATE)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory, configuration: None) -> tuple[Path, Film]:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return path, film(ACTOR, played(), path, size=SIZE)


def test_the_recipe_says_all_that_was_filmed(filmed: tuple[Path, Film]) -> None:
    assert filmed[1] == Film(3, 9, 4, 6 * 1001 / 30000, 112, 80, "30000/1001")


def test_a_film_is_a_signed_video(filmed: tuple[Path, Film]) -> None:
    path, made = filmed
    video = probe(path)
    assert (video.width, video.height, video.rate, video.frames) == (*SIZE, RATE, 6)
    assert [frame.time for frame in read_frames(path)] == [k / RATE for k in range(6)]
    verification = verify(path)
    assert verification.state is State.TRUSTED
    credential = verification.credential
    assert credential is not None and credential.source is Source.RENDERED
    assert dict(credential.facts) == {FACT: dumps(asdict(made))}


def test_the_truth_beside_is_the_renderer_s(filmed: tuple[Path, Film]) -> None:
    kept = list(read_truth(filmed[0]))
    shots = list(render(ACTOR, played(), size=SIZE))
    assert len(kept) == len(shots) == 6
    for read, shot in zip(kept, shots, strict=True):
        for field in fields(read):
            one, two = getattr(read, field.name), getattr(shot.truth, field.name)
            assert one.dtype == two.dtype, field.name
            if field.name != "depth":
                assert np.array_equal(one, two), field.name
        assert np.array_equal(np.isinf(read.depth), np.isinf(shot.truth.depth))
        actor = np.isfinite(read.depth)
        assert np.abs(read.depth[actor] - shot.truth.depth[actor]).max() <= 0.0005


def test_a_missing_or_broken_truth_is_said(filmed: tuple[Path, Film], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"b.mp4 has no truth beside it \(b.truth.npz\)"):
        list(read_truth(tmp_path / "b.mp4"))
    whole = filmed[0].with_suffix(".truth.npz").read_bytes()
    for broken in (whole[:-40], whole[: len(whole) // 2], b"", b"not a zip"):
        (tmp_path / "b.truth.npz").write_bytes(broken)
        with pytest.raises(UserError, match=r"b.truth.npz is broken: film b.mp4 again"):
            list(read_truth(tmp_path / "b.mp4"))


def test_a_film_proves_itself(filmed: tuple[Path, Film], tmp_path: Path) -> None:
    path, made = filmed
    assert prove(path) == made
    moved = tmp_path / "another name.mp4"
    moved.write_bytes(path.read_bytes())
    assert prove(moved) == made


def test_other_footage_under_the_same_recipe_is_found_out(
    filmed: tuple[Path, Film], tmp_path: Path
) -> None:
    path = republished(tmp_path, filmed[1], OTHER.face)
    with pytest.raises(UserError, match=r"fake.mp4 says that it is a film .* but frame \d+ shows"):
        prove(path)


def test_a_recipe_without_its_frames_is_found_out(
    filmed: tuple[Path, Film], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"but it does not have the 6 frames of its recipe: film"):
        prove(republished(tmp_path, filmed[1], ACTOR.face, frames=1))


def test_frames_beyond_the_recipe_are_found_out(tmp_path: Path) -> None:
    """The frames of the recipe are as rendered, and footage of somebody follows them."""
    short = Performance.from_seed(4, seconds=0.1, rate=RATE)
    (shorter := tmp_path / "short").mkdir()
    made = film(ACTOR, short, shorter / "a.mp4", size=SIZE)
    assert len(short) == 3 and prove(shorter / "a.mp4") == made
    longer = replace(made, seconds=float(6 / RATE))
    assert prove(republished(tmp_path, longer, ACTOR.face)) == longer
    with pytest.raises(UserError, match=r"but it does not have the 3 frames of its recipe"):
        prove(republished(tmp_path / "b", made, ACTOR.face))


@pytest.mark.parametrize("pasted", ["noise", "face"])
def test_a_patch_in_a_large_frame_is_found_out(tmp_path: Path, pasted: str) -> None:
    """60×60 pixels of 640×360, which leave the frame as a whole above 28 dB."""
    made = Film(ACTOR.face, ACTOR.styling, 4, float(1 / RATE), 640, 360, str(RATE))
    performance = made.perform(tmp_path / "none.csv")
    (rendered,) = (shot.frame.pixels for shot in render(ACTOR, performance, size=(640, 360)))
    assert prove(published_as(tmp_path / "honest.mp4", made, [rendered])) == made
    (other,) = render(OTHER, performance, size=(640, 360))
    x, y = np.rint(other.truth.landmarks.mean(0)).astype(int) - 30
    spoilt = rendered.copy()
    area = (slice(y, y + 60), slice(x, x + 60))
    noise = np.random.default_rng(1).normal(0, 30, (60, 60, 3)) + rendered[area]
    spoilt[area] = np.clip(noise, 0, 255) if pasted == "noise" else other.frame.pixels[area]
    error = np.mean((spoilt.astype(np.float32) - rendered) ** 2)
    assert 10 * np.log10(255**2 / error) > 28
    with pytest.raises(UserError, match=r"fake.mp4 says .* but frame 0 shows something else"):
        prove(published_as(tmp_path / "fake.mp4", made, [spoilt]))


@pytest.mark.parametrize(
    ("size", "mended"), [((65, 49), "66x50"), ((64, 49), "64x50"), ((65, 50), "66x50")]
)
def test_an_odd_size_is_refused(tmp_path: Path, size: tuple[int, int], mended: str) -> None:
    with pytest.raises(UserError, match=rf"no odd width or height: give --size {mended}\.$"):
        film(ACTOR, played(), tmp_path / "films" / "a.mp4", size=size)
    assert list(tmp_path.iterdir()) == []


def republished(folder: Path, made: Film, face: int, frames: int = 6) -> Path:
    """Footage of `face`, published as if it were `made`."""
    actor = Actor(face, ACTOR.styling)
    shots = render(actor, played(), size=SIZE, frames=range(frames))
    return published_as(folder / "fake.mp4", made, [shot.frame.pixels for shot in shots])


def published_as(path: Path, made: Film, pictures: list[Pixels]) -> Path:
    """Pictures, published as if they were `made`."""
    size = (made.width, made.height)
    fact = ((FACT, dumps(asdict(made))),)
    credential = Credential(path.name, Source.RENDERED, facts=fact)
    with publish(path, credential) as draft, FrameWriter(draft, size=size, rate=RATE) as writer:
        for index, pixels in enumerate(pictures):
            writer.write(Frame(pixels, index, index / RATE))
    return path


def test_what_claims_nothing_proves_nothing(published: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.mp4"
    with FrameWriter(plain, size=SIZE, rate=RATE) as writer:
        writer.write(Frame(np.zeros((80, 112, 3), np.uint8), 0, Fraction(0)))
    assert prove(plain) is None
    assert prove(published / "a.mp4") is None
    assert prove(published / "a.png") is None


def test_an_altered_film_proves_nothing(filmed: tuple[Path, Film], tmp_path: Path) -> None:
    data = bytearray(filmed[0].read_bytes())
    data[-200] ^= 0xFF
    altered = tmp_path / "a.mp4"
    altered.write_bytes(data)
    assert verify(altered).state is State.ALTERED
    assert prove(altered) is None


@pytest.mark.parametrize("existing", ["a.mp4", "a.truth.npz", "a.csv"])
def test_nothing_that_exists_is_overwritten(tmp_path: Path, existing: str) -> None:
    recording = blend_shapes(tmp_path / "take.csv", 3)
    (tmp_path / existing).write_bytes(b"precious")
    short = Performance.from_csv(recording)
    with pytest.raises(UserError, match=f"{existing}: this file exists already"):
        film(ACTOR, short, tmp_path / "a.mp4", size=SIZE, recording=recording)
    assert (tmp_path / existing).read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([existing, "take.csv"])
    film(ACTOR, short, tmp_path / "a.mp4", size=SIZE, recording=recording, overwrite=True)
    names = ["a.csv", "a.mp4", "a.truth.npz", "take.csv"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    assert prove(tmp_path / "a.mp4") is not None


def test_a_film_that_stops_half_way_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if (done, total) == (3, 6):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film(ACTOR, played(), tmp_path / "a.mp4", size=SIZE, tick=stop)
    assert list(tmp_path.iterdir()) == []


def blend_shapes(path: Path, frames: int) -> Path:
    values = np.random.default_rng(1).random((frames, 52)).round(3) * 0.4
    lines = [",".join(ACTIONS), *(",".join(map(str, row)) for row in values)]
    path.write_text("\n".join(lines))
    return path


def test_a_film_of_a_recording_is_provable_only_with_it(tmp_path: Path) -> None:
    recording = blend_shapes(tmp_path / "take.csv", 4)
    performance = Performance.from_csv(recording, seed=6)
    path = tmp_path / "films" / "b.mp4"
    made = film(ACTOR, performance, path, size=SIZE, recording=recording)
    beside = path.with_suffix(".csv")
    assert beside.read_bytes() == recording.read_bytes()
    assert prove(path) == made
    beside.write_text(recording.read_text().replace("0.1", "0.2"))
    with pytest.raises(UserError, match=r"b.csv is not the recording that was filmed: put it"):
        prove(path)
    beside.unlink()
    with pytest.raises(UserError, match=r"b.csv is not the recording that was filmed: put it"):
        prove(path)
    recording.rename(tmp_path / "c.csv")
    again = film(ACTOR, performance, tmp_path / "c.mp4", size=SIZE, recording=tmp_path / "c.csv")
    assert again == made
    assert prove(tmp_path / "c.mp4") == made


def test_a_film_is_proved_once_and_again_when_it_changes(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes are not rendered again; another film in their place is, and is refused."""
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(film.read_bytes())
    assert prove(copy) == prove(film)
    rendered = []
    module = sys.modules["changeling.actors.film"]  # whose name in its room is a function's
    monkeypatch.setattr(module, "render", lambda *args, **more: rendered.append(args))
    assert prove(copy) is not None
    assert rendered == []
    credential = verify(film).credential
    assert credential is not None
    with publish(copy, credential, overwrite=True) as beside:
        black = np.zeros((120, 160, 3), np.uint8)
        with FrameWriter(beside, size=(160, 120), rate=Fraction(25)) as writer:
            for index in range(6):
                writer.write(Frame(black, index, Fraction(index, 25)))
    monkeypatch.undo()
    for _ in range(2):
        with pytest.raises(UserError, match="shows something else"):
            prove(copy)
