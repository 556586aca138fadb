"""What was gained since the first eyes: the demo's scores beside those that it had then.

`python -m benchmarks.gain demo/scores.json --write docs/faces.md` after `make demo`; the earlier
figures are benchmarks/results/spine.json, kept from the first table of five pairs, measured with 68
landmarks of a smaller network and with their hull for a mask.
"""

import json
from pathlib import Path
from typing import Any

import tyro

from benchmarks.documents import write_between


def line(name: str, results: dict[str, Any]) -> str:
    """A row of the table."""
    crop, placed = results["crop"]["swap"], results["in_place"]["swap"]
    likeness = results.get("identity", {}).get("swap")
    cells = [
        name,
        f"{crop['psnr']:.2f}",
        f"{crop['ssim']:.3f}",
        f"{placed['psnr']:.2f}",
        f"{placed['ssim']:.3f}",
        f"{likeness['to_target']:.2f}" if likeness else "not measured then",
        f"{results['faces_per_second']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main(
    scores: tyro.conf.Positional[Path],
    before: Path = Path("benchmarks/results/spine.json"),
    write: Path | None = None,
) -> None:
    """Set two results beside each other.

    Args:
        scores: The scores.json of a demo.
        before: The scores of the demo's pair then.
        write: Document, such as docs/faces.md, to put the table into.
    """
    table = "\n".join([
        "| eyes | crop PSNR | crop SSIM | in place PSNR | in place SSIM | like the target "
        "| faces trained a second |",
        "|---|--:|--:|--:|--:|--:|--:|",
        line("before", json.loads(before.read_text("utf-8"))),
        line("now", json.loads(scores.read_text("utf-8"))),
    ])  # fmt: skip
    print(table)
    if write is not None:
        write_between(write, "gain", table)


if __name__ == "__main__":
    tyro.cli(main)
