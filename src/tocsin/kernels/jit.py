"""The one place that says how a kernel is compiled.

Rules of every kernel: the GIL is released; no fast-math, so that a sum is the same sum on every machine; no bounds
checks. What is compiled is kept, and comes with a wheel (`kept.py`). This module does not choose signatures: kernels
compile at their first call.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import cgutils, config, types
from numba.core.dispatcher import Dispatcher
from numba.core.types import unliteral
from numba.extending import intrinsic
from numpy.typing import NDArray

from tocsin.kernels.kept import FOLDER, MADE, KeptKernel, made_here

F = TypeVar("F", bound=Callable[..., Any])

KERNELS: list[Dispatcher] = []
"""Every kernel whose module is imported; none where `NUMBA_DISABLE_JIT` is set."""


def _sixteen(typing_context: Any) -> Any:
    """Say what the intrinsic `sixteen` returns, and how: memory of the frame, under an array that nobody owns."""
    del typing_context
    kind = types.Array(types.float64, 1, "C")

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from numba.np.arrayobj import populate_array  # with what compiling needs, and starting does not

        del signature, arguments
        memory = cgutils.alloca_once(builder, context.get_data_type(types.float64), size=16)
        array = context.make_array(kind)(context, builder)
        size, length = context.get_constant(types.intp, 8), context.get_constant(types.intp, 16)
        populate_array(array, data=memory, shape=[length], strides=[size], itemsize=size, meminfo=None)
        return array._getvalue()

    return kind(), code


sixteen: Callable[[], NDArray[np.float64]] = (lambda: np.empty(16)) if config.DISABLE_JIT else intrinsic(_sixteen)
"""Sixteen float64 on the stack of the kernel that asks, not set to anything; it must not hand them back."""


def kernel(function: F) -> F:
    """Compile a function of arrays and scalars by the house's rules, without the counting of references.

    Parameters
    ----------
    function : callable
        Top level, typed by its arguments at the first call; takes arrays and scalars, writes into its last. It must not
        make an array, nor hand one back: that is `heap_kernel`. One whose name starts with an underscore is called by
        other kernels only, and compiles a fifth faster for it.

    Returns
    -------
    callable
        Callable from Python and from other kernels.

    Notes
    -----
    Whoever calls from Python holds the arrays meanwhile, so nothing need be counted; numba would count each array of
    each call with two atomic operations, 0.1 µs for the nine arrays of an atlas.
    """
    return _compiled(function, _nrt=False)


def heap_kernel(function: F) -> F:
    """Compile a function that makes arrays or hands them back; otherwise as `kernel`."""
    return _compiled(function)


def _compiled(function: F, **more: bool) -> F:
    """Return the compiled function, with its place on disk."""
    inner = function.__name__.startswith("_")
    compiled = numba.njit(
        nogil=True,
        fastmath=False,
        boundscheck=False,
        error_model="numpy",
        no_cpython_wrapper=inner,
        no_cfunc_wrapper=True,
        **more,
    )(function)
    if isinstance(compiled, Dispatcher):  # a plain function where NUMBA_DISABLE_JIT is set
        template = compiled.get_call_template
        # A literal such as 0 would else be a type of its own, and the kernel be compiled for it once more.
        compiled.get_call_template = lambda args, kws: template(
            tuple(unliteral(a) for a in args), {k: unliteral(v) for k, v in kws.items()}
        )
        if function.__module__.startswith("tocsin.kernels."):  # whose sources name the folder
            compiled._cache = KeptKernel(function, FOLDER)
        KERNELS.append(compiled)
    return compiled  # type: ignore[no-any-return]


def count_compiled() -> int:
    """Return how many kernels this process had to compile, once for each choice of types."""
    return sum(sum(k.stats.cache_misses.values()) for k in KERNELS)


def pack(folder: Path) -> None:
    """Copy what this process has loaded into a folder, and what it was made by and for: what a wheel brings with it.

    Kernels that others have swallowed are not loaded, and so not packed.

    Raises
    ------
    RuntimeError
        This process compiled a kernel instead of loading it, or loaded none: the folder would be no use.
    """
    files = [k._cache.paths(sig, k.targetctx) for k in KERNELS for sig in k.stats.cache_hits]
    loaded = [next(path for path in paths if path.exists()) for paths in files]
    if count_compiled() or not loaded:
        raise RuntimeError(f"found {count_compiled()} kernels compiled and {len(loaded)} loaded, expected all loaded")
    for path in loaded:
        shutil.copyfile(path, folder / path.name)
    made = made_here(KERNELS[0].targetctx.codegen().magic_tuple())
    (folder / MADE).write_text(json.dumps(made, indent=1) + "\n")
