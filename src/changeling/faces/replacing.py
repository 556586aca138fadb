"""Folders of faces that appear whole, in place of older ones only on request."""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from changeling.errors import UserError
from changeling.faces.faceset import INDEX, MASKS

_OWN = re.compile(r"\d{6,}(-\d+)?\.png|\.(faces|masks)-\w+\.npy|\.changeling-\w+\.\w+|\.DS_Store")
"""Files that a set has made, and what a file manager leaves; all else is somebody's own."""


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Raises UserError when `folder` is kept: it exists, or holds more than face sets.

    More are also faces that were set aside and any file of the user's in a set.
    """
    if not folder.exists():
        return
    if not overwrite:
        raise UserError(
            f"{folder} exists; give another folder with -o, or --overwrite to replace it."
        )
    if not _holds_sets(folder):
        raise UserError(
            f"{folder} is no face set and is not overwritten; give another folder with -o."
        )
    for one in _sets(folder):
        for path in sorted(one.iterdir()):
            if foreign := _foreign(path):
                raise UserError(
                    f"{foreign} is no part of the face set {one} and would be lost with it; move "
                    "it elsewhere or give another folder with -o."
                )


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder beside that takes the place of `folder` on success and goes away otherwise."""
    beside = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)
        try:
            yield beside
            if folder.exists():
                check_free(folder, overwrite=True)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        if folder.exists():
            folder.rename(beside / ".replaced")
        beside.rename(folder)
        shutil.rmtree(folder / ".replaced", ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"{folder}: the face set cannot be written ({error.strerror}); make room or choose "
            "another folder with -o."
        ) from error


def _holds_sets(folder: Path) -> bool:
    """Whether it is a face set, or a folder of nothing but face sets."""
    return folder.is_dir() and bool(sets := _sets(folder)) and all(map(_is_set, sets))


def _sets(folder: Path) -> list[Path]:
    """The folder if it is a face set, else all that is in it."""
    return [folder] if _is_set(folder) else sorted(folder.iterdir())


def _is_set(folder: Path) -> bool:
    return (folder / INDEX).is_file()


def _foreign(path: Path) -> Path | None:
    """The first file in `path`, which lies in a face set, that the set did not make."""
    if path.is_dir():
        inside = sorted(path.iterdir())
        if path.name == MASKS:
            return next(filter(_foreign, inside), None)
        return next((file for one in inside for file in _files(one)), None)
    return None if path.name == INDEX or _OWN.fullmatch(path.name) else path


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if not one.is_dir()) if path.is_dir() else [path]
