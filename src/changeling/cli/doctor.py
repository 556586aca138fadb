"""`changeling doctor`: what this machine has, and what to mend."""

import platform
import re
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import changeling
from changeling.errors import UserError
from changeling.provenance import configuration_folder, find_signer


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """Its name."""
    found: str
    """Its state."""
    mend: str = ""
    """What to do about it; empty when all is well."""


@dataclass(frozen=True)
class Doctor:
    """Print versions, device, codecs, folders, and what to mend. Exit codes: 0 well, 1 not."""

    def run(self) -> int:
        """Look at everything."""
        findings = [finding for check in CHECKS for finding in _looked(check)]
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            print(f"{finding.what:{width}}  {finding.found}")
        mends = [finding for finding in findings if finding.mend]
        for finding in mends:
            print(f"To mend ({finding.what}): {finding.mend}.")
        if not mends:
            print("Nothing to mend.")
        return 1 if mends else 0


Check = Callable[[], Iterator[Finding]]


def _looked(check: Check) -> Iterator[Finding]:
    """The findings of a check; one that cannot even be made is a finding too."""
    try:
        yield from check()
    except ImportError as error:
        yield Finding(_name(check), f"does not load ({error})", "install changeling again with pip")
    except UserError as error:
        yield Finding(_name(check), "damaged", str(error).rstrip("."))


def _name(check: Check) -> str:
    return check.__name__.strip("_")


def _versions() -> Iterator[Finding]:
    yield Finding("changeling", changeling.__version__)
    old = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    yield Finding("python", f"{platform.python_version()} on {platform.platform()}", old)
    for package, wanted in _wanted().items():
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, "missing", f"pip install '{wanted}'")


def _wanted() -> dict[str, str]:
    """By the name of each package that changeling needs, what pip is told, such as "av>=18"."""
    every = [line.partition(";") for line in requires("changeling") or []]
    needed = [wanted.strip() for wanted, _, condition in every if "extra" not in condition]
    return {re.split(r"[^\w.-]", wanted)[0]: wanted for wanted in needed}


def _cascades() -> Iterator[Finding]:
    import cv2

    there = hasattr(cv2, "CascadeClassifier")
    mend = "" if there else f"pip install '{_wanted()['opencv-python-headless']}'"
    yield Finding("face cascades", "in OpenCV" if there else "not in this OpenCV", mend)


def _device() -> Iterator[Finding]:
    from changeling.training import Runtime

    best = Runtime.best()
    precision = str(best.precision).removeprefix("torch.")
    yield Finding("device", str(best.device))
    yield Finding("precision", precision + ("" if precision == "float32" else " (in hardware)"))
    yield Finding("threads", f"{best.threads}, and {best.workers} that prepare batches")


def _weights() -> Iterator[Finding]:
    from changeling.faces.weights import read_weights

    root = Path(changeling.__file__).parent
    # Both files of a network are looked for, so that one that lacks the other is found.
    stems = {
        path.with_suffix("") for kind in ("safetensors", "json") for path in root.rglob(f"*.{kind}")
    }
    for stem in sorted(stems, key=lambda stem: stem.name):
        try:
            read_weights(stem.with_suffix(".safetensors"), network=stem.name)
            yield Finding(stem.name, "weights are as installed")
        except UserError as error:
            yield Finding(stem.name, "damaged", str(error).rstrip("."))


def _ffmpeg() -> Iterator[Finding]:
    import av
    from av.codec.codec import UnknownCodecError

    yield Finding("FFmpeg", av.ffmpeg_version_info)
    for what in ("h264 decoder", "libx264 encoder", "aac decoder", "aac encoder"):
        name, kind = what.split()
        try:
            av.codec.Codec(name, "r" if kind == "decoder" else "w")
            yield Finding(what, "there")
        except UnknownCodecError:
            yield Finding(what, "missing", "pip install --force-reinstall --only-binary :all: av")


def _key() -> Iterator[Finding]:
    signer = find_signer()
    if signer is None:
        yield Finding("key", f"none yet; made in {configuration_folder()} at the first signing")
        return
    yield Finding("key", f"of {signer.name!r} in {signer.folder}")
    yield from (_private(path) for path in (signer.folder, signer.folder / "key.pem"))


def _private(path: Path) -> Finding:
    """Whether only the owner can read a file or folder; Windows has no such bits."""
    mode = stat.S_IMODE(path.stat().st_mode)
    open_to_others = bool(mode & 0o077) and sys.platform != "win32"
    mend = f"chmod go= {path}" if open_to_others else ""
    return Finding(f"permissions of {path.name}", oct(mode)[2:], mend)


def _trust() -> Iterator[Finding]:
    folder = configuration_folder() / "trusted"
    files = sorted(folder.glob("*.pem"))
    yield Finding("trusted", f"{len(files)} other signers in {folder}")
    yield Finding("consent", "has no folder: every face set carries the record it was made under")


def _caches() -> Iterator[Finding]:
    import anny.paths
    import warp

    # The renderer first, because it tells warp to be quiet.
    import_module("changeling.actors")

    warp.init()
    folders = {
        "actors' model": anny.paths.get_anny_cache_path(),
        "compiled kernels": Path(str(warp.config.kernel_cache_dir)),
    }
    for what, folder in folders.items():
        files = [path for path in folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 2**20
        yield Finding(
            what, f"{size:.0f} MiB in {folder}" if files else f"made in {folder} when first needed"
        )


CHECKS: tuple[Check, ...] = (
    _versions, _cascades, _device, _weights, _ffmpeg, _key, _trust, _caches,
)  # fmt: skip
