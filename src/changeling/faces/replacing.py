"""Folders of faces that appear whole, in place of older ones only on request."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from changeling.errors import UserError
from changeling.faces.faceset import INDEX


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Raises UserError when `folder` is kept: it exists, or holds more than face sets."""
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


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder beside that takes the place of `folder` on success and goes away otherwise."""
    beside = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)
        try:
            yield beside
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
    if not folder.is_dir():
        return False
    inside = list(folder.iterdir())
    return (folder / INDEX).is_file() or (
        bool(inside) and all((one / INDEX).is_file() for one in inside)
    )
