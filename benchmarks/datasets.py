"""How much memory and time a data set takes: CelebA's layout with 1,000 and with 50,000 pictures.

    python -m benchmarks.datasets

Makes the pictures in a temporary folder and reads them in batches, each size in a process of its
own, whose peak memory is then what that size takes. Nothing is asserted.
"""

import sys
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from subprocess import run
from tempfile import TemporaryDirectory

import cv2
import numpy as np

COUNTS = (1_000, 50_000)
WIDTH, HEIGHT = 89, 109
"""Half of CelebA's aligned pictures along each side."""
ATTRIBUTES = 40
BATCH = 64
STEPS = 200


def make(folder: Path, count: int) -> None:
    """CelebA's layout with `count` smooth random pictures and random attributes."""
    rng = np.random.default_rng(0)
    pictures = folder / "img_align_celeba"
    pictures.mkdir(parents=True)
    names = [f"{k:06d}.jpg" for k in range(1, count + 1)]
    for name in names:
        rough = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        smooth = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        (pictures / name).write_bytes(cv2.imencode(".jpg", smooth)[1].tobytes())
    marks = rng.integers(0, 2, (count, ATTRIBUTES)) * 2 - 1
    lines = [f"{name} {' '.join(map(str, row))}" for name, row in zip(names, marks, strict=True)]
    head = [str(count), " ".join(f"Attribute_{k}" for k in range(ATTRIBUTES))]
    (folder / "list_attr_celeba.txt").write_text("\n".join([*head, *lines]) + "\n")


def measure(folder: Path, consent: Path) -> None:
    """Prints what opening the set and reading `STEPS` batches takes."""
    from changeling.faces import open_pictures, picture_batches

    before = getrusage(RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    pictures = open_pictures(str(folder), consent=consent)
    opened = time.perf_counter() - start
    batches = picture_batches(pictures, size=64, batch=BATCH, seed=0)
    start = time.perf_counter()
    for step in range(STEPS):
        batches(step)
    rate = STEPS * BATCH / (time.perf_counter() - start)
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    print(
        f"{len(pictures):6,} pictures: peak {peak / 1024:.0f} MB, {(peak - before) / 1024:.0f} MB "
        f"more than before opening; opened in {opened:.2f} s, {rate:,.0f} pictures/s"
    )


def main() -> None:
    from changeling.provenance import Consent, write_consent

    with TemporaryDirectory() as temporary:
        consent = Path(temporary) / "consent.toml"
        write_consent(consent, Consent("dataset", licence="made by this command", purpose="timing"))
        for count in COUNTS:
            folder = Path(temporary) / str(count)
            make(folder, count)
            command = [sys.executable, "-m", "benchmarks.datasets", str(folder), str(consent)]
            run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
