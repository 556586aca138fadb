"""Where the kernels run: warp, started without a word."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache

import warp as wp

NO_DRIVER = b"Could not find or load the NVIDIA CUDA driver"


@lru_cache(maxsize=1)
def start() -> None:
    """Start warp without its greeting, and without its complaint where there is no GPU.

    Its native part writes that complaint to the process's standard error and has no setting for
    it, so what it says while it starts is held back; anything else is passed on.
    """
    wp.config.log_level = wp.LOG_ERROR
    with tempfile.TemporaryFile() as said:
        terminal = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            wp.init()
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
        said.seek(0)
        os.write(2, b"".join(line for line in said if NO_DRIVER not in line))


def device() -> str:
    """The first CUDA device, or the CPU."""
    start()
    return "cuda:0" if wp.is_cuda_available() else "cpu"
