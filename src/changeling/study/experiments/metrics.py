"""What the figures of a study are called on its page, and which way they are better."""

from collections.abc import Mapping
from types import MappingProxyType

from changeling.study.page import Column

Columns = Mapping[str, Column]
"""By the name of the measurement, in the order of a table."""

_BARE, _FILM, _WHO = "bare face", "finished film", "identity network"

TRUTH: Columns = MappingProxyType(
    {
        "bare_psnr": Column("PSNR", "dB", "more", 2, _BARE),
        "bare_ssim": Column("SSIM", "", "more", 3, _BARE),
        "bare_msssim": Column("MS-SSIM", "", "more", 3, _BARE),
        "bare_sharpness": Column("sharpness", "", "", 2, _BARE),
        "placed_psnr": Column("PSNR", "dB", "more", 2, _FILM),
        "placed_ssim": Column("SSIM", "", "more", 3, _FILM),
        "placed_gap": Column("gap", "", "less", 2, _FILM),
        "placed_to_target": Column("like B", "", "more", 3, _WHO),
        "placed_to_source": Column("like A", "", "less", 3, _WHO),
    }
)
"""Against the true answer (`measuring.ClipFigures`)."""

SPLIT: Columns = MappingProxyType(
    {
        f"split_{factor}": Column(factor, "", "", 2)
        for factor in ("identity", "expression", "pose", "light", "remainder")
    }
)
"""Shares of the error of the finished film that each factor explains (`measuring.Split`)."""

UNAIDED: Columns = MappingProxyType(
    {
        "unaided_expression": Column("expression", "", "less", 4),
        "unaided_pose": Column("pose", "°", "less", 2),
        "unaided_found": Column("face found", "", "more", 3),
        "unaided_border": Column("border", "ΔE", "less", 2),
        "unaided_flicker": Column("flicker", "", "", 2),
        "unaided_detail": Column("sharpness", "", "", 2),
    }
)
"""Without a truth, as on real footage."""

DRAWN: Columns = MappingProxyType(
    {
        "confidence": Column("confidence", "", "more", 3),
        "rarest": Column("rarest class", "", "more", 3),
        "frechet": Column("Fréchet", "", "less", 2),
        "kernel": Column("kernel", "", "less", 3),
        "precision": Column("precision", "", "more", 3),
        "recall": Column("recall", "", "more", 3),
        "density": Column("density", "", "more", 2),
        "coverage": Column("coverage", "", "more", 3),
        "spectral": Column("spectrum", "dB", "less", 2),
    }
)
"""Of pictures drawn, beside as many test pictures, on the project's own features."""

_MEAN, _SAMPLE = "by the mean of the code", "by a code drawn at random"
GIVEN_BACK: Columns = MappingProxyType(
    {
        "mean_mse": Column("MSE", "", "less", 4, _MEAN),
        "mean_psnr": Column("PSNR", "dB", "more", 2, _MEAN),
        "mean_ssim": Column("SSIM", "", "more", 3, _MEAN),
        "sample_mse": Column("MSE", "", "less", 4, _SAMPLE),
        "sample_psnr": Column("PSNR", "dB", "more", 2, _SAMPLE),
        "sample_ssim": Column("SSIM", "", "more", 3, _SAMPLE),
    }
)
"""Of test pictures given back."""
