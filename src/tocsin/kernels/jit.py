"""The one place that says how a kernel is compiled and where the compiled code is kept.

Rules of every kernel: the GIL is released; no fast-math, so that a sum is the
same sum on every machine; no bounds checks. Compiled code is kept in a folder of the user's own, named after
the digest of all kernel sources, because numba alone does not see that a kernel called by another has
changed. `NUMBA_CACHE_DIR` moves it; where no folder can be written nothing is kept and the kernels are
compiled at every start. This module does not choose signatures: kernels compile at their first call.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import binding
from numba.core import cgutils, config, types
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import rtsys
from numba.core.types import unliteral
from numba.extending import intrinsic
from numpy.typing import NDArray

log = logging.getLogger(__name__)

DIGEST_DIGITS = 16
KEPT_FOLDERS = 8
"""Folders of compiled kernels that stay, 10 MB or so each: of this version, of others beside it, of past ones."""

F = TypeVar("F", bound=Callable[..., Any])


def source_digest() -> str:
    """Return hexadecimal digits that change when any kernel, or numba, changes."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(str(path.relative_to(Path(__file__).parent)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:DIGEST_DIGITS]


def _drop_old(base: Path) -> None:
    """Delete all but the newest folders; a process that still uses one goes on with what it has loaded."""
    folders = [p for p in base.iterdir() if len(p.name) == DIGEST_DIGITS and p.is_dir()]
    for folder in sorted(folders, key=lambda p: p.stat().st_mtime)[:-KEPT_FOLDERS]:
        shutil.rmtree(folder, ignore_errors=True)


def cache_folder() -> Path | None:
    """Return the folder that keeps compiled kernels, made if needed; None where there is no place to write.

    In this order: `NUMBA_CACHE_DIR`, `XDG_CACHE_HOME`, `LOCALAPPDATA`, `~/.cache`.
    """
    try:
        if config.CACHE_DIR:
            base = Path(config.CACHE_DIR)
        else:
            home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
            base = (Path(home) if home else Path.home() / ".cache") / "tocsin" / "numba"
        folder = base / source_digest()
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _drop_old(base)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home
        log.info("kernels.uncached", extra={"reason": str(error)})
        return None
    return folder


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two processes never write one entry's index and code apart."""
    with (folder / "lock").open("ab") as lock:
        if os.name == "nt":
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
            try:
                yield
            finally:
                lock.seek(0)
                msvcrt.locking(lock.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _KeptCode(JITCodeLibrary):  # type: ignore[misc]
    """Compiled code as it is loaded: its bitcode, for kernels that are yet to be compiled against it, is read for them.

    numba reads it at once, for half of what loading costs; a station whose kernels are all kept never needs it.
    """

    _bitcode: bytes | None = None

    @classmethod
    def _unserialize(cls, codegen: Any, state: Any) -> Any:
        name, kind, kept = state
        if kind != "object":
            raise ValueError(f"found code kept as {kind!r}, expected 'object'")
        made = codegen.create_library(name)
        made.enable_object_caching()
        object_code, made._bitcode = kept
        made._set_compiled_object(object_code)
        made._symbols = object_code
        made._finalize_final_module()
        return made

    def get_pointer_to_function(self, name: str) -> int:
        if self._bitcode is None:
            return super().get_pointer_to_function(name)  # type: ignore[no-any-return]
        # Asked for a name that is nowhere, LLVM would end the process; an object file holds all its names.
        return self._codegen._engine.get_function_address(name) if name.encode() in self._symbols else 0

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None and self._bitcode is not None:
            self._shared_module = binding.parse_bitcode(self._bitcode)
            self._codegen._engine._load_defined_symbols(self._shared_module)
        return super()._get_module_for_linking()


class SharedCache:
    """Numba's disk cache, made safe for processes that start together and for a power cut.

    numba numbers its code files by an index that it reads and writes without a lock: two processes that
    compile two signatures of one kernel at once can each be given the other's code.
    """

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self._function = function
        self._folder = folder

    @cached_property
    def _kept(self) -> FunctionCache:
        """Numba's own; made when it is asked for, as nine kernels of ten are never: their callers hold their code."""
        before, config.CACHE_DIR = config.CACHE_DIR, str(self._folder)
        try:
            return FunctionCache(self._function)
        finally:
            config.CACHE_DIR = before

    @property
    def cache_path(self) -> str:
        """Where numba keeps this kernel's files."""
        return self._kept.cache_path  # type: ignore[no-any-return]

    def flush(self) -> None:
        """Forget what is kept of this kernel."""
        with _locked(self._folder):
            self._kept.flush()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kept code; None, so that it is compiled again, if there is none or it is damaged.

        numba's own would first fill the tables that compiling needs, a tenth of a start; compiling fills them itself.
        """
        try:
            rtsys.initialize(target_context)
            target_context.codegen()._library_class = _KeptCode
            with _locked(self._folder):
                return self._kept._load_overload(sig, target_context)
        except (OSError, EOFError, ValueError, AttributeError, ImportError, pickle.UnpicklingError) as error:
            log.warning("kernels.cache_unreadable", extra={"kernel": str(sig), "reason": str(error)})
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code; a full or vanished disk costs the next start time, never this one its answer."""
        try:
            with _locked(self._folder):
                self._kept.save_overload(sig, data)
        except OSError as error:
            log.warning("kernels.cache_unwritable", extra={"kernel": str(sig), "reason": str(error)})


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


FOLDER = cache_folder()
"""Where this process keeps compiled kernels; None if nowhere."""


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
        if FOLDER is not None:
            compiled._cache = SharedCache(function, FOLDER)
    return compiled  # type: ignore[no-any-return]
