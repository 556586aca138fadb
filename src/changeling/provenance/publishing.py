"""The one door through which finished pictures and videos leave, signed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedRandom, FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import c2pa

from changeling.errors import UserError
from changeling.media import Pixels, write_image, writing
from changeling.provenance.credential import Credential, claim
from changeling.provenance.signer import AUTHORITY, CHAIN, KEY, Signer, own_signer
from changeling.provenance.verifying import KINDS, context

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def publish(path: Path, credential: Credential, *, overwrite: bool = False) -> Iterator[Path]:
    """Sign the file that the block writes to the yielded path, then rename it to `path`.

    The yielded path is an empty file beside `path` with its suffix (.png, .jpg, .jpeg, .webp,
    .mp4). The signed file is read back before it is renamed; when the block or the signing
    fails, nothing is left and an old file at `path` stays as it is. The same picture signed
    twice gives different bytes: C2PA draws a random identifier and salt, ECDSA a random nonce.
    Raises UserError for another suffix, for a path that exists when not `overwrite`, and when
    signing fails.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path} cannot be signed; its name must end in {', '.join(KINDS)}.")
    definition, signer = claim(credential), own_signer()
    with writing(path, overwrite=overwrite) as draft:
        yield draft
        signed = draft.with_stem(f"{draft.stem}-signed")
        disk = _Disk(signed, "w+")
        try:
            with closing(disk):
                _sign(draft, disk, kind, definition, signer)
            signed.replace(draft)
        except (c2pa.C2paError, OSError) as error:
            raise _unwritten(path, disk.failure, error) from error
        finally:
            signed.unlink(missing_ok=True)


def signed_png(pixels: Pixels, credential: Credential) -> bytes:
    """The bytes of a signed PNG, for a picture inside a report. `pixels`: (h, w, 3) uint8."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        with publish(path, credential) as draft:
            write_image(draft, pixels)
        return path.read_bytes()


class _Disk(FileIO):
    """A file that remembers why it could not be written, which C2PA does not tell."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def _unwritten(path: Path, failure: OSError | None, error: Exception) -> UserError:
    if failure is None:
        return UserError(f"{path} is not written: signing it failed ({error}).")
    return UserError(
        f"{path} is not written: its signed copy does not fit on the disk ({failure.strerror}); "
        "make room and run it again."
    )


def _sign(draft: Path, disk: _Disk, kind: str, definition: str, signer: Signer) -> None:
    """Write `draft` with its credential to `disk` and read it back."""
    key = c2pa.C2paSignerInfo(
        b"es256",
        (signer.folder / CHAIN).read_bytes(),
        (signer.folder / KEY).read_bytes(),
        None,
    )
    authority = (signer.folder / AUTHORITY).read_text()
    with context(authority) as settings, draft.open("rb") as source, BufferedRandom(disk) as target:
        with c2pa.Signer.from_info(key) as pen, c2pa.Builder(definition, settings) as builder:
            builder.sign(pen, kind, source, target)
        target.seek(0)
        with c2pa.Reader(kind, target, context=settings) as reader:
            if reader.get_validation_state() != "Trusted":
                raise c2pa.C2paError("the signed file does not verify")
