"""Training in a study: with consent, repeatable, and what the donor says of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch
from test_faceset import made
from torch import Tensor

import changeling.study.train
from changeling.errors import UserError
from changeling.faces import FaceSet, Jitter, PeopleBatch, people_batches
from changeling.generators import family
from changeling.media import read_image, write_image
from changeling.provenance import sha256
from changeling.study import Advance, donor_of, train_family
from changeling.training import Batches, Budget, Run, Runtime

TODAY = date(2026, 11, 21)
PLAIN = Runtime(torch.device("cpu"), torch.float32, False, False, threads=1, workers=0)
FAMILY = "autoencoder"


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, FaceSet]]:
    """Two small sets of drawn faces under a consent of footage."""
    folder = tmp_path_factory.mktemp("people")
    return [(name, made(folder / name, seed=9 * i)) for i, name in enumerate("ab")]


def train(
    sets: Sequence[tuple[str, FaceSet]],
    run: Path,
    *,
    steps: int = 2,
    seed: int = 0,
    **settings: float,
) -> list[Advance]:
    tiny = family(FAMILY).config.tiny()
    config = replace(tiny, people=tuple(name for name, _ in sets), batch=2, **settings)
    return list(
        train_family(
            FAMILY, config, sets, run, Budget(None, steps), today=TODAY, runtime=PLAIN, seed=seed
        )
    )  # fmt: skip


def under(sets: list[tuple[str, FaceSet]], **changes: object) -> list[tuple[str, FaceSet]]:
    """The same sets with another consent of the last person."""
    *first, (name, last) = sets
    consent = replace(last.consent, **changes)  # type: ignore[arg-type]
    return [*first, (name, replace(last, consent=consent))]


def weights(run: Path) -> dict[str, Tensor]:
    checkpoint = Run(run).load()
    assert checkpoint is not None
    found: dict[str, Tensor] = checkpoint.state["network"]
    return found


def test_the_same_call_goes_on_to_the_same_weights(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    train(sets, tmp_path / "whole", steps=4)
    assert [one.progress.step.index for one in train(sets, tmp_path / "parts", steps=2)] == [1, 2]
    assert [one.progress.step.index for one in train(sets, tmp_path / "parts", steps=4)] == [3, 4]
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    train(sets, tmp_path / "other", steps=4, seed=1)
    other = weights(tmp_path / "other")
    assert not all(torch.equal(whole[name], other[name]) for name in whole)


def test_the_seed_draws_the_weights_that_training_begins_with(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        train(sets, tmp_path / name, steps=1, seed=seed, rate=0.0)
    one, same, other = (weights(tmp_path / name) for name in ("one", "same", "other"))
    drawn = [name for name, value in one.items() if value.ndim > 1]
    assert len(drawn) > 4
    assert all(torch.equal(one[name], same[name]) for name in drawn)
    assert not any(torch.equal(one[name], other[name]) for name in drawn)


def test_people_who_are_no_actors_have_no_truth(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    assert [one.truth for one in train(sets, tmp_path / "run")] == [None, None]
    assert not any("truth_psnr" in row for row in Run(tmp_path / "run").rows())


@pytest.mark.parametrize(
    ("change", "words"),
    [({"revoked": True}, "revoked"), ({"until": date(2026, 11, 20)}, "ended on 2026-11-20")],
)
def test_without_consent_of_everybody_nothing_is_trained(
    sets: list[tuple[str, FaceSet]], tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        train(under(sets, **change), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_renewed_consent_reaches_the_donor(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(under(sets, until=date(2026, 12, 1)), run)
    assert donor_of(run, "b").consent.until == date(2026, 12, 1)
    assert train(under(sets, until=date(2027, 12, 1)), run) == []
    assert donor_of(run, "b").consent.until == date(2027, 12, 1)
    assert donor_of(run, "a").consent == sets[0][1].consent


def test_the_donor_says_what_taught_the_network(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(sets, run)
    donor = donor_of(run, "a")
    assert (donor.model, donor.run) == (FAMILY, "run")
    given = [(one.title, one.relationship) for one in donor.ingredients]
    titles = ["drawn.mp4", "drawn.mp4", "faces of a", "faces of b", "checkpoint.safetensors"]
    assert given == [(title, "inputTo") for title in titles]
    digests = [one.sha256 for one in donor.ingredients]
    assert digests[:2] == ["0" * 64] * 2
    assert digests[2] != digests[3]
    assert digests[4] == sha256(run / "checkpoint.safetensors")


def test_a_donor_nobody_knows(sets: list[tuple[str, FaceSet]], tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(sets, run)
    with pytest.raises(UserError, match="nobody called 'c': give --to one of a, b"):
        donor_of(run, "c")
    (run / "consents.json").write_text("{}")
    with pytest.raises(UserError, match=r"consents\.json does not hold the consent of a"):
        donor_of(run, "a")


def test_another_set_is_another_run(sets: list[tuple[str, FaceSet]], tmp_path: Path) -> None:
    own = made(tmp_path / "own")
    train([sets[0], ("own", own)], tmp_path / "run")
    with pytest.raises(UserError, match="other settings"):
        train([sets[0], ("own", replace(own, faces=own.faces[:3]))], tmp_path / "run")
    picture = read_image(own.folder / own.faces[0].file)
    write_image(own.folder / own.faces[0].file, 255 - picture)
    with pytest.raises(UserError, match="other settings"):
        train([sets[0], ("own", own)], tmp_path / "run")


@pytest.mark.parametrize(("name", "scene"), [("autoencoder", Jitter.scene), ("supervised", 0.0)])
def test_a_family_says_how_its_faces_are_lit(
    name: str, scene: float, sets: list[tuple[str, FaceSet]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    lit: list[Jitter] = []

    def batches(*given: object, jitter: Jitter, **rest: object) -> Batches[PeopleBatch]:
        lit.append(jitter)
        return people_batches([faces for _, faces in sets], size=16, batch=2, seed=0)

    monkeypatch.setattr(changeling.study.train, "people_batches", batches)
    config = replace(family(name).config.tiny(), people=("a", "b"), batch=2)
    for _ in train_family(
        name, config, sets, tmp_path / "run", Budget(None, 1), today=TODAY, runtime=PLAIN
    ):
        pass
    assert lit == [replace(Jitter(), scene=scene)]
