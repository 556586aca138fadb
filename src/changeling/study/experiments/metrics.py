"""What the figures of a study are called on its page, and which way they are better."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from changeling.study.page import Column

Columns = Mapping[str, Column]
"""By the name of the measurement, in the order of a table."""
Better = Literal["more", "less", ""]

_BARE, _FILM, _WHO = "bare face", "finished film", "identity network"
_LEARNT = "learnt faces"
_COARSE, _WHOLE = "of what is coarse enough", "of the whole error"
_MEAN, _SAMPLE = "by the mean of the code", "by a code drawn at random"


def share(name: str, better: Better = "", group: str = "", digits: int = 3) -> Column:
    """A figure from 0 to 1."""
    return Column(name, "", better, digits, 0, 1, group)


def amount(
    name: str, unit: str = "", better: Better = "", digits: int = 2, group: str = ""
) -> Column:
    """A figure from 0 on."""
    return Column(name, unit, better, digits, 0, group=group)


def cosine(name: str, better: Better, group: str = "") -> Column:
    """A figure from -1 to 1."""
    return Column(name, "", better, 3, -1, 1, group)


TRUTH: Columns = MappingProxyType(
    {
        "bare_mse": amount("MSE", "", "less", 4, _BARE),
        "bare_psnr": amount("PSNR", "dB", "more", 2, _BARE),
        "bare_ssim": share("SSIM", "more", _BARE),
        "bare_msssim": share("MS-SSIM", "more", _BARE),
        "bare_sharpness": amount("sharpness", group=_BARE),
        "placed_mse": amount("MSE", "", "less", 4, _FILM),
        "placed_psnr": amount("PSNR", "dB", "more", 2, _FILM),
        "placed_ssim": share("SSIM", "more", _FILM),
        "placed_msssim": share("MS-SSIM", "more", _FILM),
        "placed_gap": amount("gap", "", "less", 2, _FILM),
        "placed_to_target": cosine("like B", "more", _WHO),
        "placed_to_source": cosine("like A", "less", _WHO),
    }
)
"""Against the true answer (`measuring.ClipFigures`)."""

SPLIT: Columns = MappingProxyType(
    {
        f"split_{factor}": Column(factor, "", "", 2, group=_COARSE)
        for factor in ("identity", "expression", "pose", "light", "remainder")
    }
    | {"split_fine": Column("too fine", "", "", 2, 0, 1, _WHOLE)}
)
"""Shares of the error of the finished film that each factor explains, and the share of the whole
error that is too fine to be split and was left out before (`measuring.Split`)."""

UNAIDED: Columns = MappingProxyType(
    {
        "unaided_expression": amount("expression", "", "less", 4),
        "unaided_pose": amount("pose", "°", "less"),
        "unaided_found": share("face found", "more"),
        "unaided_border": Column("border", "ΔE", "less", 2),
        "unaided_flicker": amount("flicker"),
        "unaided_detail": amount("sharpness"),
        "unaided_to_target": cosine("like B", "more", _LEARNT),
        "unaided_to_source": cosine("like A", "less", _LEARNT),
    }
)
"""Without a truth, as on real footage."""

ITSELF: Mapping[str, Sequence[str]] = MappingProxyType(
    {"performer": ("unaided_expression", "unaided_pose", "unaided_found", "unaided_border")}
)
"""By what is tried: metrics that compare it with itself."""

DRAWN: Columns = MappingProxyType(
    {
        "confidence": share("confidence", "more"),
        "rarest": share("rarest class", "more"),
        "frechet": amount("Fréchet", "", "less"),
        "kernel": Column("kernel", "", "less", 3),
        "precision": share("precision", "more"),
        "recall": share("recall", "more"),
        "density": amount("density", "", "more"),
        "coverage": share("coverage", "more"),
        "copies": share("copies", "less"),
        "nearest": amount("nearest learnt"),
        "covered": amount("classes drawn", "", "more", 0),
        "different": amount("classes off", "", "less", 0),
        "spectral": amount("spectrum", "dB", "less"),
    }
)
"""Of pictures drawn, beside as many test pictures, on the project's own features."""

GIVEN_BACK: Columns = MappingProxyType(
    {
        "mean_mse": amount("MSE", "", "less", 4, _MEAN),
        "mean_psnr": amount("PSNR", "dB", "more", 2, _MEAN),
        "mean_ssim": share("SSIM", "more", _MEAN),
        "sample_mse": amount("MSE", "", "less", 4, _SAMPLE),
        "sample_psnr": amount("PSNR", "dB", "more", 2, _SAMPLE),
        "sample_ssim": share("SSIM", "more", _SAMPLE),
    }
)
"""Of test pictures given back."""
