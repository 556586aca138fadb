"""Families of face manipulation, one file each, and what a trained one can do."""

from changeling.generators.protocols import Swapped, Swaps
from changeling.generators.registry import FAMILIES, Family, family, load_generator

__all__ = ["FAMILIES", "Family", "Swapped", "Swaps", "family", "load_generator"]
