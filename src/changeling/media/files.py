"""Files appear whole or not at all."""

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from changeling.errors import UserError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty temporary file beside `path`, with its suffix, to be written in its place.

    When the body ends, the file is renamed to `path`; when anything is raised in it, Ctrl-C
    included, the file is deleted and `path` is as before. Missing folders are made. Errors that
    name the temporary file are raised again with the name of `path`.

    Raises UserError when `path` exists and `overwrite` is false, when it is a folder, when its
    folder cannot be made or written, and when the disk becomes full.
    """
    _check_free(path, overwrite)
    temporary = path.with_name(f".changeling-{secrets.token_hex(6)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise UserError(
            f"{path}: the folder {path.parent} cannot be written ({error.strerror}); "
            "choose another place or change its permissions."
        ) from error
    try:
        yield temporary
        _check_free(path, overwrite)
        temporary.replace(path)
    except UserError as error:
        raise UserError(str(error).replace(str(temporary), str(path))) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UserError(
            f"{path}: the disk is full ({error.strerror}); make room and run it again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_free(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise UserError(f"{path}: this is a folder; name a file to write.")
    if not overwrite and path.exists():
        raise UserError(f"{path}: this file exists already; choose another or add --overwrite.")
