"""A laboratory for face manipulation, measured against the true answer and signed."""

__version__ = "0.1.0"
