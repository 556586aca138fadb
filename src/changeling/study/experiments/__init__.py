"""The studies: what is tried on what, run cell by cell, and the pages that say what came out."""

from changeling.study.experiments.experiment import Cell, Extent, Findings, Place, Study
from changeling.study.experiments.names import STUDIES, study
from changeling.study.experiments.running import (
    Settings,
    again,
    compared,
    found,
    one_by_one,
    page_of,
    planned,
    read_settings,
    run_study,
    write_study,
)

__all__ = [
    "STUDIES",
    "Cell",
    "Extent",
    "Findings",
    "Place",
    "Settings",
    "Study",
    "again",
    "compared",
    "found",
    "one_by_one",
    "page_of",
    "planned",
    "read_settings",
    "run_study",
    "study",
    "write_study",
]
