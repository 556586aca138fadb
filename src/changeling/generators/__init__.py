"""Families of face manipulation, one file each, and what a trained one can do."""

from changeling.generators.protocols import Draws, Edits, Restores, Swapped, Swaps, Task
from changeling.generators.registry import (
    FAMILIES,
    Family,
    Learns,
    configuration,
    family,
    load_drawer,
    load_generator,
)

__all__ = [
    "FAMILIES",
    "Draws",
    "Edits",
    "Family",
    "Learns",
    "Restores",
    "Swapped",
    "Swaps",
    "Task",
    "configuration",
    "family",
    "load_drawer",
    "load_generator",
]
