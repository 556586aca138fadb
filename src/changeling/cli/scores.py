"""A table of scores on the standard output."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from changeling.study import ScoreLine


def print_scores(lines: Sequence["ScoreLine"]) -> None:
    """One line a score, in columns; plain text, so that a pipe can read it."""
    where = max(len(line.where) for line in lines)
    who = max(len(line.who) for line in lines)
    print(f"{'':{where}}  {'':{who}}  {'MSE':>8}  {'PSNR':>8}  {'SSIM':>6}")
    for line in lines:
        mse, psnr, ssim = line.score.mse, line.score.psnr, line.score.ssim
        print(f"{line.where:{where}}  {line.who:{who}}  {mse:8.5f}  {psnr:5.2f} dB  {ssim:6.4f}")
