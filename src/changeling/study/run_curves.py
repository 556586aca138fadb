"""The curves of a run's log: its losses, and how near the swap was to the truth."""

from collections.abc import Mapping, Sequence

from changeling.study.page import Curve, Curves

_NO_LOSS = {"step", "rate", "seconds", "truth_psnr", "truth_ssim"}
_TRUTH = {"truth_psnr": "PSNR against the truth, dB", "truth_ssim": "SSIM against the truth"}

Rows = Sequence[Mapping[str, float]]
"""What `Run.rows` gives."""


def loss_curves(rows: Rows) -> tuple[Curves, ...]:
    """One chart for each loss, over the minutes trained."""
    logged = [row for row in rows if "rate" in row]
    names = [name for name in logged[0] if name not in _NO_LOSS] if logged else []
    return tuple(_over_minutes(logged, name, name, "the network") for name in names)


def truth_curves(rows: Rows) -> tuple[Curves, ...]:
    """PSNR and SSIM against the truth; none when it was never asked."""
    asked = [row for row in rows if "truth_psnr" in row]
    return (
        tuple(_over_minutes(asked, *named, "the swap") for named in _TRUTH.items()) if asked else ()
    )


def _over_minutes(rows: Rows, key: str, y: str, name: str) -> Curves:
    points = tuple((row["seconds"] / 60, row[key]) for row in rows)
    return Curves("", "", "minutes", y, (Curve(name, points),))
