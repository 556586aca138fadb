"""Tell whether a file is as its signer left it, and whether the signer is known."""

from __future__ import annotations

import json
import mmap
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any

import c2pa

from changeling.errors import UserError
from changeling.provenance.credential import Credential, credential_of
from changeling.provenance.signer import authorities, trusted_folder

KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
}
# Types of the JUMBF boxes of a C2PA manifest store, manifest, claim, signature and assertion
# store (C2PA 2.x, section 11.1): where one is left, there was a credential.
_REMAINS = re.compile(rb"c2(pa|ma|cl|cs|as)\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71")
# Nothing is fetched from a network, and nothing but a file's own bytes is added to it.
_SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


class State(Enum):
    """What `verify` found; the value is the exit code of `changeling verify`."""

    TRUSTED = 0
    """Intact since it was signed, by this machine or by an authority in the trusted folder."""
    UNKNOWN_SIGNER = 3
    """Intact since it was signed, by somebody this machine does not know."""
    ALTERED = 4
    """Changed, damaged or cut short since it was signed."""
    NONE = 5
    """No content credential."""

    @property
    def exit_code(self) -> int:
        """0, 3, 4 or 5."""
        return self.value


@dataclass(frozen=True)
class Verification:
    """The state of a file, in one `sentence`.

    `signer` is the name in the certificate, "" when there is none; whoever signed chose it, so
    it proves something only when TRUSTED. `credential` is what was signed; None when ALTERED and
    when another program wrote it.
    """

    path: Path
    state: State
    signer: str
    credential: Credential | None
    sentence: str


def verify(path: Path) -> Verification:
    """Check the content credential that a picture or video carries.

    What C2PA leaves out of the signature can change unseen: the manifest's own padding and, in
    MP4, the file type box. Raises UserError for a file that cannot be read or is of a kind that
    carries no credential.
    """
    try:
        with path.open("rb") as file:
            return _verify(path, file)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error


def _verify(path: Path, file: IO[bytes]) -> Verification:
    try:
        with context(authorities()) as trust, c2pa.Reader(None, file, context=trust) as reader:
            return _found(path, reader.get_validation_state(), json.loads(reader.json()))
    except c2pa.C2paError as error:
        # Elsewhere, such as in an archive, remains belong to a picture inside.
        if path.suffix.lower() in KINDS and _has_remains(file):
            return _verification(path, State.ALTERED)
        # A manifest that lies elsewhere is not the file's own.
        if isinstance(error, c2pa.C2paError.ManifestNotFound) or str(error).startswith("Remote"):
            return _verification(path, State.NONE)
        raise UserError(
            f"{path} is damaged or of a kind that carries no content credential; give a picture "
            "(PNG, JPEG, WebP) or a video (MP4)."
        ) from error


def context(trust_anchors: str) -> c2pa.Context:
    """Settings of the C2PA library: offline, no thumbnails, these authorities (PEM) trusted."""
    trust = {"trust": {"trust_anchors": trust_anchors}} if trust_anchors else {}
    return c2pa.Context.from_dict(_SETTINGS | trust)


def _found(path: Path, validity: str | None, store: dict[str, Any]) -> Verification:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signer = _printable(manifest.get("signature_info", {}).get("common_name") or "somebody unnamed")
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = [failure["code"] for failure in results.get("failure", ())]
    if validity == "Trusted":
        state = State.TRUSTED
    # A certificate that has expired says nothing about the bytes.
    elif failures and all(code.startswith("signingCredential.") for code in failures):
        state = State.UNKNOWN_SIGNER
    else:
        return _verification(path, State.ALTERED, signer)
    return _verification(path, state, signer, credential_of(manifest))


def _verification(
    path: Path, state: State, signer: str = "", credential: Credential | None = None
) -> Verification:
    sentence = {
        State.TRUSTED: f"{path} is intact since {signer} signed it, whom this machine trusts.",
        State.UNKNOWN_SIGNER: f"{path} is intact since it was signed by {signer}, whom this "
        f"machine does not know; to trust them put their authority.pem into {trusted_folder()}.",
        State.ALTERED: f"{path} has been altered or damaged since it was signed.",
        State.NONE: f"{path} carries no content credential.",
    }[state]
    return Verification(path, state, signer, credential, sentence)


def _has_remains(file: IO[bytes]) -> bool:
    if file.seek(0, 2) == 0:
        return False
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _REMAINS.search(content) is not None


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)
