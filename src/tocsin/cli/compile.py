"""`tocsin compile`: the kernels of the watch, compiled now, so that no start has to wait for them."""

from __future__ import annotations

import sys
import time


def compile_command() -> None:
    """Compile the watch's kernels now and keep them: once after an install or an update; a second if they are kept.

    Example: tocsin compile
    """
    from tocsin.kernels.jit import FOLDER
    from tocsin.watch.compiling import compile_kernels

    if FOLDER is None:
        print("tocsin: there is no folder to keep compiled kernels in; each start compiles them", file=sys.stderr)
    began = time.monotonic()
    compile_kernels()
    print(f"The watch's kernels are ready ({time.monotonic() - began:.0f} s).", file=sys.stderr)
