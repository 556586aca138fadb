"""How near a swap is to the true answer, and two baselines that it has to beat."""

from changeling.measuring.agreement import krippendorff_alpha
from changeling.measuring.baselines import CopySource, MeanFace
from changeling.measuring.border import Border, border
from changeling.measuring.clip import (
    Bare,
    ClipFigures,
    Learnt,
    Placed,
    Unaided,
    clip_figures,
)
from changeling.measuring.clip_instants import ClipFiles
from changeling.measuring.correlation import rank_correlation, spearman
from changeling.measuring.cost import (
    Memory,
    operations,
    parameters,
    tensors_in,
)
from changeling.measuring.denoising import (
    NonLocalMeans,
    levels,
    mean_psnr,
    unit_tensor,
)
from changeling.measuring.estimate import Estimate, estimate, scattered
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
from changeling.measuring.opinion import mean_opinion
from changeling.measuring.performance_error import (
    PerformanceError,
    expression_errors,
    performance_error,
    pose_errors,
)
from changeling.measuring.perturbing import Swapping, perturbed, rendered_faces
from changeling.measuring.progress import Eyes, Guess, HeldOut, Truth, progress_of
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
from changeling.measuring.verifier import Verifier, calibrated
from changeling.measuring.videos import (
    Moment,
    VideoJudgement,
    error_map,
    judge_videos,
    read_samples,
)

__all__ = [
    "Bare",
    "Border",
    "Classified",
    "ClipFigures",
    "ClipFiles",
    "CopySource",
    "Estimate",
    "Eyes",
    "FaceDistances",
    "FaceMeter",
    "FashionClassifier",
    "FashionTeaching",
    "Guess",
    "HeldOut",
    "Judgement",
    "Learnt",
    "Likeness",
    "Likenesses",
    "Manifold",
    "MeanFace",
    "Memorising",
    "Memory",
    "Modes",
    "Moment",
    "NonLocalMeans",
    "Pasted",
    "PerformanceError",
    "Placed",
    "Rivals",
    "Row",
    "Sample",
    "Score",
    "Scores",
    "Spectrum",
    "Split",
    "Swapping",
    "Truth",
    "Unaided",
    "Verifier",
    "VideoJudgement",
    "border",
    "calibrated",
    "clip_figures",
    "clusters",
    "error_map",
    "estimate",
    "expression_errors",
    "flicker",
    "frechet_distance",
    "judge",
    "judge_videos",
    "kernel_distance",
    "kinds_of",
    "krippendorff_alpha",
    "levels",
    "likeness_of",
    "manifold",
    "mean",
    "mean_opinion",
    "mean_psnr",
    "mean_scores",
    "memorising",
    "modes",
    "mse",
    "msssim",
    "operations",
    "parameters",
    "performance_error",
    "perturbed",
    "pose_errors",
    "progress_of",
    "psnr",
    "rank_correlation",
    "read_samples",
    "rendered_faces",
    "scattered",
    "score",
    "sharpness",
    "spearman",
    "spectral_distance",
    "spectrum",
    "spectrum_pictures",
    "split",
    "ssim",
    "teach_fashion",
    "tensors_in",
    "truth_gap",
    "unit_tensor",
]
