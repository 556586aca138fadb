"""Who signs: a key pair made at first use, and the authorities that this machine trusts."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from changeling.errors import UserError

KEY, CHAIN, AUTHORITY = "key.pem", "chain.pem", "authority.pem"
LONGEST_NAME = 48  # X.509 allows 64 characters, and the authority's name is longer
# Fixed, so that neither a wrong clock nor an expiry breaks a signature, and nothing is told.
VALID = datetime(2020, 1, 1), datetime(2099, 12, 31)


@dataclass(frozen=True)
class Signer:
    """The user's key pair; the key itself never leaves its folder.

    `folder` holds key.pem (private, mode 0600), chain.pem (its certificate and the authority's)
    and authority.pem, the file to give to those who shall trust this signer.
    """

    name: str
    folder: Path


def configuration_folder() -> Path:
    """The folder of keys and trust: CHANGELING_HOME, or where the system keeps configuration."""
    if chosen := os.environ.get("CHANGELING_HOME"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        parent = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Application Support"
    else:
        parent = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(parent) / "changeling"


def make_signer(name: str = "") -> Signer:
    """Make the key pair under `name`, or under a random pseudonym when it is empty.

    The authority's own key is thrown away once it has signed the one certificate.
    Raises UserError for a name that fits no certificate and when a signer exists already.
    """
    name = name.strip() or f"changeling user {secrets.token_hex(4)}"
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise UserError(
            f"The signer's name {name!r} must be at most {LONGEST_NAME} printable characters."
        )
    if not _make(name):
        raise UserError(
            f"A signer exists already in {_signer_folder()}; to sign under another name move that "
            f"folder away, and copy its {AUTHORITY} into {trusted_folder()} so that what it "
            "signed stays trusted."
        )
    return own_signer()


def find_signer() -> Signer | None:
    """The signer of this machine, or None when nothing has been signed yet."""
    folder = _signer_folder()
    if not folder.exists():
        return None
    try:
        leaf = x509.load_pem_x509_certificates((folder / CHAIN).read_bytes())[0]
        name = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    except (OSError, ValueError, IndexError) as error:
        raise UserError(
            f"The signing key in {folder} is damaged ({error}); move that folder away and a new "
            "key is made at the next signing."
        ) from error
    return Signer(str(name), folder)


def own_signer() -> Signer:
    """The signer of this machine, made under a pseudonym at first use."""
    signer = find_signer()
    if signer is None:
        _make(f"changeling user {secrets.token_hex(4)}")  # or another process was faster
        signer = find_signer()
    assert signer is not None
    return signer


def trusted_folder() -> Path:
    """Where the user puts authorities (*.pem) of other machines that shall be trusted."""
    return configuration_folder() / "trusted"


def authorities() -> str:
    """PEM of all trusted authorities: this machine's own and the files of `trusted_folder()`.

    Raises UserError when one of the files is not a certificate.
    """
    files = sorted(trusted_folder().glob("*.pem"))
    if signer := find_signer():
        files.insert(0, signer.folder / AUTHORITY)
    return "".join(_certificates(file) for file in files)


def _certificates(file: Path) -> str:
    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file} is not a certificate in PEM form; replace it by the signer's {AUTHORITY} "
            "or remove it."
        ) from error
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def _signer_folder() -> Path:
    return configuration_folder() / "signer"


def _make(name: str) -> bool:
    """Write a new key pair; False when there is one already. One rename, so no one sees half."""
    home = configuration_folder()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".signer-", dir=home) as beside:
            draft = Path(beside) / "signer"
            draft.mkdir(mode=0o700)
            for file, content in _key_pair(name).items():
                with os.fdopen(os.open(draft / file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
                    out.write(content)
            draft.rename(_signer_folder())  # refused where there is a folder with files
    except OSError as error:
        if _signer_folder().exists():
            return False
        raise UserError(
            f"The signing key cannot be kept in {home} ({error.strerror}); make that folder "
            "writable or let CHANGELING_HOME name another."
        ) from error
    return True


def _key_pair(name: str) -> dict[str, bytes]:
    """The three files of a signer, by name. C2PA refuses a certificate that signs itself."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(f"{name} (authority)", authority_key, name, authority_key)
    leaf = _certificate(name, key, name, authority_key)
    return {
        KEY: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        CHAIN: leaf + authority,
        AUTHORITY: authority,
    }


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    name: str,
    authority_key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """A certificate in PEM as the C2PA 2.x profile (section 14.5) asks for it."""
    is_authority = key is authority_key
    builder = (
        x509.CertificateBuilder()
        .subject_name(_x509_name(subject))
        .issuer_name(_x509_name(f"{name} (authority)"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID[0])
        .not_valid_after(VALID[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False
        )
        .add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), True)
        .add_extension(_key_usage(is_authority), True)
    )
    if not is_authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, False)
    return builder.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _x509_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key_usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
