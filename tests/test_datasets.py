"""The one door to data sets: folders of images, CelebA, and batches in bounded memory."""

import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces import open_pictures, picture_batches
from changeling.media import write_image
from changeling.provenance import Consent, write_consent

GIVEN = Consent("dataset", licence="research only", purpose="a test", evidence="here")


@pytest.fixture(scope="module")
def consent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("consent") / "dataset.toml"
    write_consent(file, GIVEN)
    return file


def picture(number: int, size: int = 8) -> NDArray[np.uint8]:
    """A picture that tells its number, and left from right."""
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[..., 0], pixels[:, : size // 2, 1] = number, 255
    return pixels


def numbers(pixels: NDArray[np.uint8]) -> list[int]:
    return pixels[:, 0, 0, 0].tolist()


def folder_of(folder: Path, count: int, start: int = 0, suffix: str = ".png") -> Path:
    for number in range(start, start + count):
        write_image(folder / f"{number:03d}{suffix}", picture(number))
    return folder


def refused(source: object, **given: Any) -> str:  # noqa: ANN401
    with pytest.raises(UserError) as caught:
        open_pictures(str(source), **given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_data_set_is_told_which_there_are() -> None:
    assert "give fashion-mnist, actors, actors-film or a folder" in refused("fashon-mnist")


def test_real_pictures_need_consent(tmp_path: Path, consent: Path) -> None:
    folder_of(tmp_path / "set", 3)
    said = refused(tmp_path / "set")
    assert f"{tmp_path / 'set'} may show real people" in said
    assert "`changeling consent new`" in said and "--consent FILE" in said
    assert open_pictures(str(tmp_path / "set"), consent=consent).consent == GIVEN


def test_a_flat_folder_has_no_classes_and_its_last_tenth_is_the_test(
    tmp_path: Path, consent: Path
) -> None:
    folder_of(tmp_path / "set", 20)
    (tmp_path / "set" / "._000.png").write_bytes(b"what a Mac leaves")
    (tmp_path / "set" / "notes.txt").write_text("no picture")
    train, test = (
        open_pictures(str(tmp_path / "set"), part=part, consent=consent)
        for part in ("train", "test")
    )
    assert (train.name, train.kinds, train.channels) == ("set", (), 3)
    assert numbers(train.read(np.arange(len(train)), 8)) == list(range(18))
    assert numbers(test.read(np.arange(len(test)), 8)) == [18, 19]
    assert train.labels(np.arange(18)).tolist() == [0] * 18
    assert train.attributes(np.arange(2)).names == ()


def test_sub_folders_are_classes_each_of_which_is_split(tmp_path: Path, consent: Path) -> None:
    folder_of(tmp_path / "cats" / "deep" / "er", 10)
    folder_of(tmp_path / "apes", 10, start=100, suffix=".PNG")
    folder_of(tmp_path / "cats" / ".hidden", 3)
    train = open_pictures(str(tmp_path), consent=consent)
    test = open_pictures(str(tmp_path), part="test", consent=consent)
    assert train.kinds == test.kinds == ("apes", "cats")
    rows = np.array([17, 0, 8, 9])
    assert numbers(train.read(rows, 8)) == [8, 100, 108, 0]
    assert train.labels(rows).tolist() == [1, 0, 0, 1]
    assert numbers(test.read(np.arange(len(test)), 8)) == [109, 9]


def test_sub_folders_train_and_test_are_the_parts(tmp_path: Path, consent: Path) -> None:
    for part, start in (("train", 0), ("test", 50)):
        folder_of(tmp_path / part / "a", 4, start)
        folder_of(tmp_path / part / "b", 2, start + 10)
    test = open_pictures(str(tmp_path), part="test", consent=consent)
    assert numbers(test.read(np.arange(len(test)), 8)) == [50, 51, 52, 53, 60, 61]
    assert test.kinds == ("a", "b")
    assert len(open_pictures(str(tmp_path), consent=consent)) == 6


def test_the_middle_square_is_shown_at_the_size_asked_for(tmp_path: Path, consent: Path) -> None:
    wide = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    write_image(tmp_path / "wide.png", wide)
    write_image(tmp_path / "tall.png", wide.transpose(1, 0, 2))
    pictures = open_pictures(str(tmp_path), consent=consent)
    tall, same = pictures.read(np.arange(2), 20)
    assert np.array_equal(same, wide[:, 5:25])
    assert np.array_equal(tall, wide[:, 5:25].transpose(1, 0, 2))
    small = pictures.read(np.array([1]), 5)[0]
    assert np.abs(small - wide[:, 5:25].reshape(5, 4, 5, 4, 3).mean((1, 3))).max() <= 0.5
    large = pictures.read(np.array([1]), 32)[0]
    assert np.array_equal(large, cv2.resize(same, (32, 32), interpolation=cv2.INTER_CUBIC))


def test_bad_folders_are_a_sentence(tmp_path: Path, consent: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'empty'} holds no picture" in refused(tmp_path / "empty", consent=consent)
    folder_of(tmp_path / "few", 2)
    assert "no picture to test with" in refused(tmp_path / "few", consent=consent, part="test")
    folder_of(tmp_path / "mixed" / "a", 2)
    folder_of(tmp_path / "mixed", 1)
    said = refused(tmp_path / "mixed", consent=consent)
    assert "1 picture(s), such as 000.png, beside sub-folders" in said
    assert "leave out :c23" in refused(f"{tmp_path / 'few'}:c23", consent=consent)


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, consent: Path) -> None:
    folder_of(tmp_path, 3)
    (tmp_path / "001.png").write_bytes((tmp_path / "001.png").read_bytes()[:30])
    pictures = open_pictures(str(tmp_path), consent=consent)
    with pytest.raises(UserError, match=r"001\.png: not a picture that can be read whole"):
        pictures.read(np.arange(3), 8)


NAMES = ("Bald", "Smiling", "Young")


def celeba(folder: Path, count: int = 20, *, partition: bool = True) -> Path:
    """CelebA's layout: picture k has the attributes of k's last three bits, parts in a cycle."""
    folder_of(folder / "img_align_celeba", count, suffix=".jpg")
    marks = [
        " ".join("1" if k >> bit & 1 else "-1" for bit in range(3)).replace(" 1", "  1")
        for k in range(count)
    ]
    rows = [f"{k:03d}.jpg {marks[k]} " for k in range(count)]
    text = "\n".join([str(count), " ".join(NAMES) + " ", *rows]) + "\n"
    (folder / "list_attr_celeba.txt").write_text(text)
    if partition:
        parts = "\n".join(f"{k:03d}.jpg {k % 3}" for k in range(count)) + "\n"
        (folder / "list_eval_partition.txt").write_text(parts)
    return folder


def test_celeba_has_parts_and_attributes(tmp_path: Path, consent: Path) -> None:
    celeba(tmp_path)
    train = open_pictures(str(tmp_path), consent=consent)
    test = open_pictures(str(tmp_path), part="test", consent=consent)
    for pictures, part in ((train, 0), (test, 2)):
        rows = np.arange(len(pictures))
        expected = list(range(part, 20, 3))
        # A JPEG of 8×8 pixels keeps its colour but for a few levels.
        assert np.abs(np.array(numbers(pictures.read(rows, 8))) - expected).max() <= 6
        about = pictures.attributes(rows[::-1])
        assert about.names == NAMES
        marks = [[1 if k >> bit & 1 else -1 for bit in range(3)] for k in expected[::-1]]
        assert about.values.tolist() == marks
    assert train.kinds == () and train.labels(np.arange(3)).tolist() == [0, 0, 0]


def test_celeba_without_its_partition_keeps_the_last_tenth(tmp_path: Path, consent: Path) -> None:
    celeba(tmp_path, partition=False)
    test = open_pictures(str(tmp_path), part="test", consent=consent)
    assert test.attributes(np.arange(2)).values.tolist() == [[-1, 1, -1], [1, 1, -1]]
    assert len(test) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("20\n", "many\n", "first line must be the number of pictures"),
        ("004.jpg -1 -1  1", "004.jpg -1  1", "line 7: a line must hold a picture's name and 3"),
        ("004.jpg -1 -1  1", "004.jpg -1 -1  2", "line 7: a line must hold"),
        ("20\n", "19\n", "line 22: .* there must be 19 of them"),
    ],
)
def test_a_damaged_attributes_file_is_named(
    tmp_path: Path, consent: Path, old: str, new: str, said: str
) -> None:
    path = celeba(tmp_path) / "list_attr_celeba.txt"
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=f"list_attr_celeba.txt.*{said}"):
        open_pictures(str(tmp_path), consent=consent)


def test_celeba_lacks_a_file(tmp_path: Path, consent: Path) -> None:
    celeba(tmp_path)
    (tmp_path / "img_align_celeba" / "003.jpg").unlink()
    with pytest.raises(UserError, match=r"003\.jpg: cannot be read \(No such file"):
        open_pictures(str(tmp_path), consent=consent).read(np.array([0, 1]), 8)
    (tmp_path / "list_eval_partition.txt").write_text("000.jpg 0 0\n")
    assert "list_eval_partition.txt, line 1: a line must" in refused(tmp_path, consent=consent)
    (tmp_path / "list_attr_celeba.txt").unlink()
    assert "but no list_attr_celeba.txt" in refused(tmp_path, consent=consent)


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory, consent: Path) -> Any:  # noqa: ANN401
    folder = tmp_path_factory.mktemp("seven")
    folder_of(folder / "a", 3)
    folder_of(folder / "b", 4, start=3)
    return open_pictures(str(folder), consent=consent)


def drawn(batches: Any, steps: range) -> list[int]:  # noqa: ANN401
    shown = [(batches(step).pictures[:, 0, 0, 0] * 255).round().int().tolist() for step in steps]
    return [number for batch in shown for number in batch]


def test_every_picture_comes_once_an_epoch(seven: Any) -> None:  # noqa: ANN401
    batches = picture_batches(seven, size=8, batch=3, seed=5)
    order = drawn(batches, range(14))
    epochs = [tuple(order[start : start + 7]) for start in range(0, 42, 7)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(7))] * 6
    assert len(set(epochs)) == 6, "each epoch has an order of its own"
    assert drawn(picture_batches(seven, size=8, batch=20, seed=5), range(2))[:40] == order[:40]


def test_a_batch_depends_on_step_and_seed_alone(seven: Any) -> None:  # noqa: ANN401
    batches = picture_batches(seven, size=8, batch=5, seed=1, mirror=True)
    late = batches(9)
    batches(3)
    again = picture_batches(seven, size=8, batch=5, seed=1, mirror=True)(9)
    assert late.pictures.equal(again.pictures) and late.labels.equal(again.labels)
    assert not late.pictures.equal(picture_batches(seven, size=8, batch=5, seed=2)(9).pictures)
    shown = (late.pictures[:, 0, 0, 0] * 255).round().int()
    assert late.labels.tolist() == [int(number >= 3) for number in shown.tolist()]
    assert late.pictures.shape == (5, 3, 8, 8) and late.pictures.is_contiguous()


def test_half_of_the_pictures_are_mirrored_when_asked(seven: Any) -> None:  # noqa: ANN401
    plain = picture_batches(seven, size=8, batch=100, seed=0)
    batches = picture_batches(seven, size=8, batch=100, seed=0, mirror=True)
    turned = [batches(step).pictures[:, 1, 0, 0] == 0 for step in range(2)]
    assert not turned[0].equal(turned[1]), "each step has its own"
    for step, flip in enumerate(turned):
        assert 30 <= int(flip.sum()) <= 70
        shown, before = batches(step).pictures, plain(step).pictures
        assert shown[flip].equal(before[flip].flip(-1))
        assert shown[~flip].equal(before[~flip])


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path, consent: Path) -> None:
    peaks = []
    for count in (20, 220):
        place = tmp_path / str(count)
        for number in range(count):
            write_image(place / f"{number:03d}.png", picture(number % 256, 96))
        tracemalloc.start()
        batches = picture_batches(
            open_pictures(str(place), consent=consent), size=96, batch=4, seed=0
        )
        for step in range(count // 4):
            batches(step)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    more = (peaks[1] - peaks[0]) / 200
    assert more < 1000, f"{more:.0f} bytes a picture of {96 * 96 * 3}"
