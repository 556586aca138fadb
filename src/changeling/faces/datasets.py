"""The one door to data sets of pictures, and batches of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.datasets_actors import ActorPictures
from changeling.faces.datasets_celeba import PICTURES as CELEBA
from changeling.faces.datasets_celeba import open_celeba
from changeling.faces.datasets_fashion import FashionMnist, fetch_fashion, holds_fashion
from changeling.faces.datasets_files import SquareFiles
from changeling.faces.datasets_images import open_images
from changeling.faces.datasets_protocol import Pictures
from changeling.faces.datasets_sets import SetPictures, find_sets
from changeling.faces.datasets_videos import (
    COMPRESSIONS,
    find_forensics,
    find_voxceleb,
    open_videos,
)
from changeling.faces.enrolment import check_enrolled, enrolled_people, portrait
from changeling.faces.identity import Identifier
from changeling.faces.pictures import PictureBatch
from changeling.faces.renders import Renders, learnt_and_kept
from changeling.media import Tick, silent
from changeling.provenance import Consent, Use, read_consent

Part = Literal["train", "test"]
CACHE = Path("runs/lessons")
"""Where renders and cut faces go unless another place is given; `changeling teach` shares it."""


def open_pictures(
    source: str,
    *,
    part: Part = "train",
    consent: Path | None = None,
    today: date | None = None,
    renders: Renders | None = None,
    cache: Path = CACHE,
    tick: Tick = silent,
) -> Pictures:
    """The data set that `source` names; docs/datasets.md says which there are.

    "fashion-mnist"; "actors", as many as `renders` says in any pose and light, or "actors-film", as
    in a film; or a folder, whose layout is recognised. Pictures that may show real people need a
    `consent` file, and under one for footage each must show one face, of somebody whom it enrols.
    Actors are rendered and videos cut into the `cache`, once, which `tick` follows; videos need
    `today`, the day on which their consent must hold. Raises UserError when there is no such set,
    it is damaged or without pictures, and for a consent that is missing or not needed.
    """
    folder, compression = _compression(source)
    asked = _Asked(source, folder, compression, part, today, cache, tick)
    free = _free(asked, replace(renders or Renders(), varied=source != "actors-film"))
    if free is not None:
        if consent is not None:
            raise UserError(f"{source} brings its own consent; leave out --consent {consent}.")
        return free
    if not folder.is_dir():
        raise UserError(
            f"there is no data set {source!r}: give fashion-mnist, actors, actors-film or a folder."
        )
    given = _consent(source, consent)
    public = _public(asked, given)
    if public is not None:
        return public
    images = open_images(folder, part, given)
    _check_footage([images.folder / file for file in images.files], given, images.name, tick)
    return images


def open_actors(name: str, *, part: Part, cache: Path = CACHE, tick: Tick = silent) -> Pictures:
    """The rendered actors that a run calls `name`, such as actors film-10000-….

    Raises UserError when it is the name of another data set.
    """
    renders = Renders.from_name(name.removeprefix("actors "))
    if renders is None:
        raise UserError(f"{name} are no rendered actors: give a run trained with --data actors.")
    source = "actors" if renders.varied else "actors-film"
    return open_pictures(source, part=part, renders=renders, cache=cache, tick=tick)


def open_files(
    files: Sequence[Path], *, consent: Path | None, faces: bool = False, tick: Tick = silent
) -> SquareFiles:
    """Square picture files, or with `faces` the unit crop of the largest face in each.

    They may show real people, so they need a `consent` file, and under one for footage each must
    show one face, of somebody whom it enrols. Raises UserError for a picture that is not square,
    shows no face, or cannot be read, and for a missing consent.
    """
    where = str(files[0])
    given = _consent(where, consent)
    _check_footage(files, given, str(consent), tick)
    return SquareFiles(files, given, faces=faces)


def picture_batches(
    pictures: Pictures, *, size: int, batch: int, seed: int, mirror: bool = False
) -> Callable[[int], PictureBatch]:
    """Batches of `batch` pictures at `size` pixels, as a pure function of the step.

    Every picture comes once an epoch, in an order drawn from seed and epoch; a batch may hold the
    end of one epoch and the beginning of the next. `mirror` turns one picture in two around. Only
    the batch is in memory.
    """
    count = len(pictures)

    @lru_cache(maxsize=4)
    def order(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((seed, 0, epoch)).permutation(count)

    def prepare(step: int) -> PictureBatch:
        places = np.arange(step * batch, (step + 1) * batch)
        rows = np.array([order(int(place) // count)[place % count] for place in places])
        shown = pictures.read(rows, size)
        if mirror:
            turned = np.random.default_rng((seed, 1, step)).random(batch) < 0.5
            shown[turned] = shown[turned, :, ::-1]
        tensor = torch.from_numpy(shown).permute(0, 3, 1, 2).contiguous().float().div_(255)
        return PictureBatch(tensor, torch.from_numpy(pictures.labels(rows)))

    return prepare


@dataclass(frozen=True)
class _Asked:
    """What `open_pictures` was asked for."""

    source: str
    folder: Path
    compression: str | None
    part: Part
    today: date | None
    cache: Path
    tick: Tick


def _free(asked: _Asked, renders: Renders) -> Pictures | None:
    """A set that brings its own consent; None for others."""
    if asked.source in ("actors", "actors-film"):
        learnt, kept = learnt_and_kept(renders, asked.cache, tick=asked.tick)
        if asked.part == "train":
            return ActorPictures(renders, learnt, 0)
        return ActorPictures(renders, kept, len(learnt))
    if asked.source == "fashion-mnist":
        return FashionMnist(fetch_fashion(), asked.part)
    if holds_fashion(asked.folder):
        return FashionMnist(asked.folder, asked.part)
    if sets := find_sets(asked.folder):
        return SetPictures(asked.folder.resolve().name, sets, asked.part)
    return None


def _public(asked: _Asked, given: Consent) -> Pictures | None:
    """A set in the layout of a public one, which stands under a licence; None for others."""
    folder = asked.folder
    videos = find_forensics(folder, asked.compression) or find_voxceleb(folder)
    if not videos and not (folder / CELEBA).is_dir():
        return None
    if given.kind != "dataset":
        raise UserError(
            f"{folder} has the layout of a public data set, which needs a consent of kind dataset "
            f"and got {given.kind}; make face sets of footage with `changeling extract`."
        )
    if not videos:
        return open_celeba(folder, asked.part, given)
    assert asked.today is not None, "faces are cut out of the videos now: say which day it is"
    given.check(Use.EXTRACT, where=str(folder), today=asked.today)
    return open_videos(folder, videos, asked.part, given, asked.cache, tick=asked.tick)


def _check_footage(files: Sequence[Path], given: Consent, where: str, tick: Tick) -> None:
    """Footage binds: each picture must show one face, of somebody whom the consent enrols."""
    people = enrolled_people(given, where=where)
    if not people:
        return
    identifier = Identifier.load()
    for done, path in enumerate(files, 1):
        seen = portrait("", [path], identifier).embeddings
        check_enrolled(people, seen, same=identifier.same, where=str(path))
        tick(done, len(files))


def _compression(source: str) -> tuple[Path, str | None]:
    """The folder, and the compression of FaceForensics++ that may be asked for behind a colon."""
    folder, colon, compression = source.rpartition(":")
    if colon and compression in COMPRESSIONS:
        return Path(folder), compression
    return Path(source), None


def _consent(source: str, consent: Path | None) -> Consent:
    if consent is None:
        raise UserError(
            f"{source} may show real people and comes without consent; write under which licence "
            "or consent its pictures stand with `changeling consent new` and give it with "
            "--consent FILE."
        )
    return read_consent(consent)
