"""How near a swap is to the true answer, and two baselines that it has to beat."""

from changeling.measuring.baselines import CopySource, MeanFace
from changeling.measuring.denoising import (
    NonLocalMeans,
    levels,
    mean_psnr,
    unit_tensor,
)
from changeling.measuring.estimate import Estimate, estimate
from changeling.measuring.fashion import Classified, FashionClassifier
from changeling.measuring.fashion_teaching import FashionTeaching, teach_fashion
from changeling.measuring.frechet import frechet_distance, kernel_distance
from changeling.measuring.identity import Likeness, likeness_of
from changeling.measuring.judging import (
    Judgement,
    Likenesses,
    Rivals,
    Row,
    Sample,
    Scores,
    judge,
    mean_scores,
)
from changeling.measuring.mse import mse
from changeling.measuring.psnr import psnr
from changeling.measuring.score import Score, mean, score
from changeling.measuring.sharpness import sharpness
from changeling.measuring.spectrum import (
    Spectrum,
    spectral_distance,
    spectrum,
    spectrum_pictures,
)
from changeling.measuring.ssim import ssim
from changeling.measuring.videos import (
    Moment,
    VideoJudgement,
    error_map,
    judge_videos,
    read_samples,
)

__all__ = [
    "Classified",
    "CopySource",
    "Estimate",
    "FashionClassifier",
    "FashionTeaching",
    "Judgement",
    "Likeness",
    "Likenesses",
    "MeanFace",
    "Moment",
    "NonLocalMeans",
    "Rivals",
    "Row",
    "Sample",
    "Score",
    "Scores",
    "Spectrum",
    "VideoJudgement",
    "error_map",
    "estimate",
    "frechet_distance",
    "judge",
    "judge_videos",
    "kernel_distance",
    "levels",
    "likeness_of",
    "mean",
    "mean_psnr",
    "mean_scores",
    "mse",
    "psnr",
    "read_samples",
    "score",
    "sharpness",
    "spectral_distance",
    "spectrum",
    "spectrum_pictures",
    "ssim",
    "teach_fashion",
    "unit_tensor",
]
