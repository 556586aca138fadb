"""A family trained on people who consent, or on pictures, into a run that says what it learnt."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import sha256 as new_hash
from pathlib import Path
from typing import Any

import torch

from changeling.converting import Donor
from changeling.errors import UserError
from changeling.faces import (
    FaceSet,
    Jitter,
    PeopleBatch,
    Pictures,
    people_batches,
    picture_batches,
)
from changeling.generators import FamilyConfig
from changeling.generators import family as family_of
from changeling.measuring import Score
from changeling.media import writing
from changeling.provenance import Consent, Ingredient, Use, sha256
from changeling.study.curve import TruthCurve
from changeling.training import Batches, Budget, Progress, Run, Runtime, fit

CONSENTS = "consents.json"
"""What the people of a run agreed to, by name."""


@dataclass(frozen=True)
class Advance:
    """Where training stands after a step."""

    progress: Progress
    """Step, losses, speed, time left."""
    truth: Score | None
    """Last point of the truth curve (see `TruthCurve`); None before the first one, and for people
    who are no rendered actors."""


@dataclass(frozen=True)
class Person:
    """One of the people of a run and the faces that taught it."""

    name: str
    """What `convert --to` calls the person."""
    source: str
    """Name of the film."""
    film: str
    """SHA-256 of the film."""
    faces: str
    """SHA-256 of the faces and landmarks that were in the set."""


@dataclass(frozen=True)
class Data:
    """What a run is trained on; with other data it is another run."""

    people: tuple[Person, ...]
    """In the order of the network's people."""
    seed: int
    """Of weights, batches and noise."""


@dataclass(frozen=True)
class PictureData:
    """What a run of a family that learns from pictures is trained on."""

    name: str
    """What the set is called."""
    pictures: int
    """How many it holds."""
    kinds: tuple[str, ...]
    """Names of its classes; none where it has no labels."""
    seed: int
    """Of weights, batches and noise."""


def train_family(
    family: str,
    config: FamilyConfig,
    sets: Sequence[tuple[str, FaceSet]],
    folder: Path,
    budget: Budget,
    *,
    today: date,
    runtime: Runtime,
    seed: int = 0,
    jitter: Jitter | None = None,
    curve: bool = True,
) -> Generator[Advance]:
    """Train `family` on the faces of named people into the run `folder`, step by step.

    `config` is one of the family's, its people those of `sets` in order (see
    `generators.configuration`). A family that selects by validation is asked about the last faces
    of each set, as many as its configuration keeps back. The same call again goes on where the
    last one was left. `jitter`: how batches depart from the faces, instead of the usual way. When
    all people are rendered actors the run's log gets the truth curve in its columns truth_psnr and
    truth_ssim, unless not `curve`. Raises UserError when somebody does not consent to
    training today, for sets or sizes that do not fit, and when the folder holds a run with other
    settings.
    """
    for _, faces in sets:
        faces.check(Use.TRAIN, today=today)
    names = tuple(name for name, _ in sets)
    learner = _learner(family, config, runtime, seed)
    assert learner.people == names, (learner.people, names)
    batches, held_out = _batches(sets, config, seed, jitter)
    data = Data(tuple(_person(name, faces) for name, faces in sets), seed)
    run = Run.begin(folder, family=family, config=config, data=data)
    _keep_consents(folder, {name: faces.consent for name, faces in sets})
    asked = TruthCurve(run, learner, sets) if curve else None
    steps = fit(
        learner, batches, run, budget, seed=seed, workers=runtime.workers, held_out=held_out
    )
    with closing(steps):
        for progress in steps:
            yield Advance(progress, None if asked is None else asked.follow(progress))


def train_pictures(
    family: str,
    config: FamilyConfig,
    pictures: Pictures,
    folder: Path,
    budget: Budget,
    *,
    today: date,
    runtime: Runtime,
    seed: int = 0,
) -> Generator[Advance]:
    """Train `family` on a set of pictures into the run `folder`, step by step.

    `config` is made for the channels and kinds of `pictures`. The same call again goes on where
    the last one was left. Raises UserError as `train_family` does.
    """
    pictures.consent.check(Use.TRAIN, where=pictures.name, today=today)
    learner = _learner(family, config, runtime, seed)
    batches = picture_batches(pictures, size=config.size, batch=config.batch, seed=seed)
    data = PictureData(pictures.name, len(pictures), pictures.kinds, seed)
    run = Run.begin(folder, family=family, config=config, data=data)
    _keep_consents(folder, {pictures.name: pictures.consent})
    with closing(fit(learner, batches, run, budget, seed=seed, workers=runtime.workers)) as steps:
        for progress in steps:
            yield Advance(progress, None)


def _batches(
    sets: Sequence[tuple[str, FaceSet]],
    config: FamilyConfig,
    seed: int,
    jitter: Jitter | None,
) -> tuple[Batches[PeopleBatch], Batches[PeopleBatch] | None]:
    """Batches to learn from and, for a configuration that keeps faces back, to select by."""
    faces = [faces for _, faces in sets]
    make = partial(people_batches, faces, size=config.size, batch=config.batch, seed=seed)
    jitter = jitter or Jitter(scene=getattr(config, "scene", Jitter.scene))
    kept = getattr(config, "kept", None)
    if kept is None:
        return make(jitter=jitter), None
    borders = [round(len(one) * (1 - share)) for one, share in zip(faces, kept, strict=True)]
    learnt = [range(border) for border in borders]
    back = [range(border, len(one)) for border, one in zip(borders, faces, strict=True)]
    return make(rows=learnt, jitter=jitter), make(rows=back, jitter=Jitter.none())


# Each family has a learner of its own class, of which the contract tests say what it can.
def _learner(family: str, config: FamilyConfig, runtime: Runtime, seed: int) -> Any:  # noqa: ANN401
    runtime.apply()
    torch.manual_seed(seed)
    return family_of(family).learner(config, runtime=runtime)


def donor_of(run: Path, person: str) -> Donor:
    """What `convert` asks for before it puts on the face of a person of a run.

    Raises UserError when the folder is no finished run of `train_family` or nobody in it has that
    name.
    """
    opened = Run(run)
    people = opened.data(Data).people
    if person not in (names := [one.name for one in people]):
        raise UserError(
            f"{run} knows nobody called {person!r}: give --to one of {', '.join(names)}."
        )
    taught = [(one.source, one.film) for one in people]
    taught += [(f"faces of {one.name}", one.faces) for one in people]
    taught.append(("checkpoint.safetensors", sha256(run / "checkpoint.safetensors")))
    return Donor(
        consent=_consent(run, person),
        model=opened.family,
        run=run.resolve().name,
        ingredients=tuple(Ingredient(title, digest, "inputTo") for title, digest in taught),
    )


def _person(name: str, faces: FaceSet) -> Person:
    digest = new_hash()
    for face, pixels in zip(faces.faces, faces.pixels(), strict=True):
        digest.update(pixels.tobytes())
        digest.update(face.landmarks.tobytes())
    return Person(name, faces.source, faces.sha256, digest.hexdigest())


def _keep_consents(folder: Path, consents: Mapping[str, Consent]) -> None:
    """A consent may be renewed while a run goes on, so it is none of the run's settings."""
    data = {name: consent.to_json() for name, consent in consents.items()}
    with writing(folder / CONSENTS, overwrite=True) as beside:
        beside.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _consent(run: Path, person: str) -> Consent:
    consents = consents_of(run)
    if person not in consents:
        raise UserError(
            f"{run / CONSENTS} does not hold the consent of {person}: run the training command "
            "again, which writes it."
        )
    return consents[person]


def consents_of(run: Path) -> dict[str, Consent]:
    """What the people of a run agreed to, by name. Raises UserError when the file is damaged."""
    path = run / CONSENTS
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {name: Consent.from_json(one, where=str(path)) for name, one in data.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path} does not hold the consents of the people ({error!r}): run the training "
            "command again, which writes it."
        ) from error
