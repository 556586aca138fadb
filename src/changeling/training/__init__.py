"""Learners, the one loop that trains them, the folder of a run, and how the machine is used."""

from changeling.training.checkpoint import load_state, save_state
from changeling.training.collapse import adversarial, collapse, variety
from changeling.training.config import adjusted, from_json, to_json
from changeling.training.folder import Checkpoint, Run
from changeling.training.loop import Batch, Batches, Learner, Losses, Step, Validates, train
from changeling.training.run import Budget, Cadence, Diverged, Progress, fit
from changeling.training.runtime import Runtime, load_optimizer, optimizer_state

__all__ = [
    "Batch",
    "Batches",
    "Budget",
    "Cadence",
    "Checkpoint",
    "Diverged",
    "Learner",
    "Losses",
    "Progress",
    "Run",
    "Runtime",
    "Step",
    "Validates",
    "adjusted",
    "adversarial",
    "collapse",
    "fit",
    "from_json",
    "load_optimizer",
    "load_state",
    "optimizer_state",
    "save_state",
    "to_json",
    "train",
    "variety",
]
