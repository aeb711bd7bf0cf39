"""`tocsin compile`: the kernels of the watch, compiled now, so that no start has to wait for them."""

from __future__ import annotations

import sys
import time


def compile_command() -> None:
    """Compile now whichever of the watch's kernels neither came with the installation nor are kept, and keep them.

    It takes two or three minutes of one core, or a second if there are none; and says why what came was not used.

    Example: tocsin compile
    """
    from tocsin.kernels.jit import count_compiled
    from tocsin.kernels.kept import FOLDER, PACKAGED, misfit_here
    from tocsin.watch.compiling import compile_kernels

    if FOLDER is None:
        print("tocsin: there is no folder to keep compiled kernels in; each start compiles them", file=sys.stderr)
    if PACKAGED.exists() and (reason := misfit_here()):
        print(f"tocsin: the compiled kernels that came with it are not for this place ({reason})", file=sys.stderr)
    began = time.monotonic()
    compile_kernels()
    spent_s = time.monotonic() - began
    print(f"The watch's kernels are ready ({count_compiled()} compiled now, {spent_s:.0f} s).", file=sys.stderr)
