"""The command line: parses, calls the rooms, shows what they answer."""

from changeling.cli.entry import main

__all__ = ["main"]
