"""How near a swap is to the true answer, and two baselines that it has to beat."""

from changeling.measuring.baselines import CopySource, MeanFace
from changeling.measuring.border import Border, border
from changeling.measuring.cost import Cost, cost, operations, parameters, peak_memory
from changeling.measuring.denoising import (
    NonLocalMeans,
    levels,
    mean_psnr,
    unit_tensor,
)
from changeling.measuring.estimate import Estimate, estimate
from changeling.measuring.fashion import Classified, FashionClassifier
from changeling.measuring.fashion_teaching import FashionTeaching, teach_fashion
from changeling.measuring.flicker import Pasted, flicker
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
from changeling.measuring.manifold import Manifold, manifold
from changeling.measuring.memorising import Memorising, memorising
from changeling.measuring.modes import Modes, clusters, kinds_of, modes
from changeling.measuring.mse import mse
from changeling.measuring.msssim import msssim
from changeling.measuring.performance_error import (
    PerformanceError,
    expression_errors,
    performance_error,
    pose_errors,
)
from changeling.measuring.perturbing import Swapping, perturbed, rendered_faces
from changeling.measuring.psnr import psnr
from changeling.measuring.score import Score, mean, score
from changeling.measuring.sharpness import sharpness
from changeling.measuring.spectrum import (
    Spectrum,
    spectral_distance,
    spectrum,
    spectrum_pictures,
)
from changeling.measuring.split import Split, split
from changeling.measuring.ssim import ssim
from changeling.measuring.truth_gap import FaceDistances, FaceMeter, truth_gap
from changeling.measuring.videos import (
    Moment,
    VideoJudgement,
    error_map,
    judge_videos,
    read_samples,
)

__all__ = [
    "Border",
    "Classified",
    "CopySource",
    "Cost",
    "Estimate",
    "FaceDistances",
    "FaceMeter",
    "FashionClassifier",
    "FashionTeaching",
    "Judgement",
    "Likeness",
    "Likenesses",
    "Manifold",
    "MeanFace",
    "Memorising",
    "Modes",
    "Moment",
    "NonLocalMeans",
    "Pasted",
    "PerformanceError",
    "Rivals",
    "Row",
    "Sample",
    "Score",
    "Scores",
    "Spectrum",
    "Split",
    "Swapping",
    "VideoJudgement",
    "border",
    "clusters",
    "cost",
    "error_map",
    "estimate",
    "expression_errors",
    "flicker",
    "frechet_distance",
    "judge",
    "judge_videos",
    "kernel_distance",
    "kinds_of",
    "levels",
    "likeness_of",
    "manifold",
    "mean",
    "mean_psnr",
    "mean_scores",
    "memorising",
    "modes",
    "mse",
    "msssim",
    "operations",
    "parameters",
    "peak_memory",
    "performance_error",
    "perturbed",
    "pose_errors",
    "psnr",
    "read_samples",
    "rendered_faces",
    "score",
    "sharpness",
    "spectral_distance",
    "spectrum",
    "spectrum_pictures",
    "split",
    "ssim",
    "teach_fashion",
    "truth_gap",
    "unit_tensor",
]
