"""Families of face manipulation, one file each, and what a trained one can do."""

from changeling.generators.blocks import with_noise
from changeling.generators.protocols import (
    Draws,
    DrawsStyles,
    Edits,
    FamilyConfig,
    Fills,
    Mixes,
    Notices,
    Restores,
    Swapped,
    Swaps,
    Task,
    Unfolds,
    Walks,
)
from changeling.generators.registry import (
    FAMILIES,
    Family,
    Learns,
    configuration,
    family,
    load_drawer,
    load_generator,
    load_with,
)

__all__ = [
    "FAMILIES",
    "Draws",
    "DrawsStyles",
    "Edits",
    "Family",
    "FamilyConfig",
    "Fills",
    "Learns",
    "Mixes",
    "Notices",
    "Restores",
    "Swapped",
    "Swaps",
    "Task",
    "Unfolds",
    "Walks",
    "configuration",
    "family",
    "load_drawer",
    "load_generator",
    "load_with",
    "with_noise",
]
