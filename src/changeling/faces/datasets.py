"""The one door to data sets of pictures, and batches of them."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.datasets_actors import ActorPictures
from changeling.faces.datasets_fashion import FashionMnist, fetch_fashion, holds_fashion
from changeling.faces.datasets_images import open_images
from changeling.faces.datasets_protocol import Pictures
from changeling.faces.pictures import PictureBatch
from changeling.faces.renders import Renders, learnt_and_kept
from changeling.media import Tick, silent
from changeling.provenance import Consent, read_consent

Part = Literal["train", "test"]
CACHE = Path("runs/lessons")
"""Where actors are rendered to unless another place is given; `changeling teach` shares it."""


def open_pictures(
    source: str,
    *,
    part: Part = "train",
    consent: Path | None = None,
    renders: Renders | None = None,
    cache: Path = CACHE,
    tick: Tick = silent,
) -> Pictures:
    """The data set that `source` names; docs/datasets.md says which there are.

    "fashion-mnist"; "actors", rendered as `renders` says, or "actors-film", as in a film, both
    through the `cache`; or a folder, whose layout is recognised. Pictures that may show real people
    need a `consent` file. Raises UserError when there is no such set, it is damaged or without
    pictures, and for a consent that is missing or not needed.
    """
    if source in ("actors", "actors-film"):
        _refuse_consent(source, consent)
        renders = renders or Renders(varied=source == "actors")
        return _actors(renders, part, cache, tick)
    if source == "fashion-mnist":
        _refuse_consent(source, consent)
        return FashionMnist(fetch_fashion(), part)
    folder = Path(source)
    if not folder.is_dir():
        raise UserError(
            f"there is no data set {source!r}: give fashion-mnist, actors, actors-film or a folder."
        )
    return _folder(folder, part, consent)


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


def _actors(renders: Renders, part: Part, cache: Path, tick: Tick) -> Pictures:
    learnt, kept = learnt_and_kept(renders, cache, tick=tick)
    if part == "train":
        return ActorPictures(renders, learnt, 0)
    return ActorPictures(renders, kept, len(learnt))


def _folder(folder: Path, part: Part, consent: Path | None) -> Pictures:
    """A folder by its layout."""
    if holds_fashion(folder):
        _refuse_consent(str(folder), consent)
        return FashionMnist(folder, part)
    return open_images(folder, part, _consent(folder, consent), folder.resolve().name)


def _consent(folder: Path, consent: Path | None) -> Consent:
    if consent is None:
        raise UserError(
            f"{folder} may show real people and comes without consent; write under which licence "
            "or consent its pictures stand with `changeling consent new` and give it with "
            "--consent FILE."
        )
    return read_consent(consent)


def _refuse_consent(source: str, consent: Path | None) -> None:
    if consent is not None:
        raise UserError(f"{source} brings its own consent; leave out --consent {consent}.")
