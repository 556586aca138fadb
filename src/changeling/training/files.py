"""Files that are whole or not there: written beside and renamed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from changeling.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it on success, delete it on any failure.

    Raises `UserError` when the file system refuses.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        raise UserError(
            f"cannot write {path} ({error.strerror or error}): free some space there or give "
            "another folder"
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, data: object) -> None:
    """Write `data` as JSON that a person can read."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path, mend: str) -> Any:  # noqa: ANN401
    """Read a JSON file; `mend` ends the sentence when it is broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON ({error}): {mend}") from error
