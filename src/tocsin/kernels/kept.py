"""Compiled kernels on disk: those that came with the wheel, and those that this user's machine has compiled since.

A wheel brings code for the machine it was built on (`hatch_build.py`), in `compiled/` beside this file; it is used only
where all is the same, read only, and passed over in silence elsewhere. Whatever else is needed is compiled at its first
call and kept in a folder of the user's own. `NUMBA_CACHE_DIR` moves that folder; where no folder can be written nothing
is kept and such kernels are compiled at every start. numba's own cache would serve for neither: it knows a function by
its path, so that an installed copy never finds what a checkout has compiled, and it does not see that a kernel called
by another has changed. This module does not compile (`jit.py`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import binding
from numba.core import config
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

log = logging.getLogger(__name__)

PACKAGED = Path(__file__).parent / "compiled"
"""What came with the wheel; not there in a checkout, nor in a wheel that was built without."""
MADE = "made.json"
"""The file among the packaged ones that says what they were made by and for."""
DIGEST_DIGITS = 16
NAME_DIGITS = 32
CHECK_BYTES = 32
"""Of each file: the SHA-256 of the rest."""
KEPT_FOLDERS = 8
"""Folders of compiled kernels that stay, 30 MB or so each: of this version, of others beside it, of past ones."""


SIGNATURE = 3
"""Where a kernel's signature is among what numba keeps of it."""


@cache
def made_by() -> dict[str, str]:
    """Return what compiled code depends on beside its machine: the sources of all kernels, and who compiled them."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.relative_to(Path(__file__).parent).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "kernels": digest.hexdigest()[:DIGEST_DIGITS],
        "python": f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}",
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "numpy": np.__version__,
    }


def made_here(machine: tuple[str, str, str]) -> dict[str, str]:
    """Return all that compiled code depends on, here; a machine is its system, its processor, what that can do."""
    return made_by() | dict(zip(("system", "cpu", "cpu_features"), machine, strict=True))


def made_digest() -> str:
    """Return hexadecimal digits that change when any kernel, Python, numba, llvmlite or NumPy changes."""
    return hashlib.sha256(json.dumps(made_by()).encode()).hexdigest()[:DIGEST_DIGITS]


def _drop_old(base: Path) -> None:
    """Delete all but the newest folders; a process that still uses one goes on with what it has loaded."""
    folders = [p for p in base.iterdir() if len(p.name) == DIGEST_DIGITS and p.is_dir()]
    for folder in sorted(folders, key=lambda p: p.stat().st_mtime)[:-KEPT_FOLDERS]:
        shutil.rmtree(folder, ignore_errors=True)


def cache_folder() -> Path | None:
    """Return the folder that keeps what is compiled here, made if needed; None where there is no place to write.

    In this order: `NUMBA_CACHE_DIR`, `XDG_CACHE_HOME`, `LOCALAPPDATA`, `~/.cache`.
    """
    try:
        if config.CACHE_DIR:
            base = Path(config.CACHE_DIR)
        else:
            home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
            base = (Path(home) if home else Path.home() / ".cache") / "tocsin" / "numba"
        folder = base / made_digest()
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _drop_old(base)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home
        log.info("kernels.uncached", extra={"reason": str(error)})
        return None
    return folder


FOLDER = cache_folder()
"""Where this process keeps compiled kernels; None if nowhere."""


def misfit(machine: tuple[str, str, str]) -> str:
    """Return why the packaged code is not for this place; empty if it is.

    Parameters
    ----------
    machine : tuple of str
        System, processor, and what that can do, as numba's code generator tells them.
    """
    try:
        made = json.loads((PACKAGED / MADE).read_bytes())
        return "; ".join(_differ(key, made[key], here) for key, here in made_here(machine).items() if made[key] != here)
    except FileNotFoundError:
        return "none came with this installation"
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return f"{PACKAGED / MADE} cannot be read: {error!r}"


def misfit_here() -> str:
    """Return why the packaged code is not for this process; empty if it is."""
    return misfit(cpu_target.target_context.codegen().magic_tuple())


def _differ(key: str, made: str, here: str) -> str:
    if key == "cpu_features":  # a hundred words each
        made, here = (",".join(sorted(set(a.split(",")) - set(b.split(",")))) for a, b in ((made, here), (here, made)))
    return f"{key}: made for {made or 'fewer'}, this is {here or 'fewer'}"


@cache
def packaged_folder(machine: tuple[str, str, str]) -> Path | None:
    """Return the folder of packaged code; None if it is not for this place. Looked at once in a process."""
    if reason := misfit(machine):
        log.info("kernels.unpackaged", extra={"reason": reason})
    return None if reason else PACKAGED


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


class KeptKernel:
    """What numba asks for one kernel's compiled code, and gives it to; a file for each choice of types.

    A file's name stands for the kernel, its types and the machine, its folder for the rest. It appears complete or not
    at all, so that processes that start together may write the same one. Its first bytes are the digest of the rest, as
    damaged code would be run.

    Parameters
    ----------
    function : callable
        The kernel as it is written.
    folder : Path, optional
        Where it is kept; None keeps nothing.
    """

    def __init__(self, function: Callable[..., Any], folder: Path | None) -> None:
        self._function = function
        self._folder = folder

    @property
    def cache_path(self) -> str | None:
        """Where this kernel's files are kept, as numba's statistics tell it."""
        return None if self._folder is None else str(self._folder)

    def paths(self, sig: Any, target_context: Any) -> list[Path]:
        """Return the files that may hold the code for these types: the packaged one, then this user's."""
        machine = target_context.codegen().magic_tuple()
        name = self._name(sig, machine)
        return [folder / name for folder in (packaged_folder(machine), self._folder) if folder is not None]

    def _name(self, sig: Any, machine: tuple[str, str, str]) -> str:
        """Return the name of the file for these types; its folder stands for the rest of what it depends on."""
        f = self._function
        key = repr((f.__module__, f.__qualname__, f.__code__.co_firstlineno, str(sig), machine))
        return f"{f.__name__}-{hashlib.sha256(key.encode()).hexdigest()[:NAME_DIGITS]}.nbc"

    def flush(self) -> None:
        """Forget what is kept of this kernel, whatever its types; numba asks for it before it compiles all anew."""
        for path in self._folder.glob(f"{self._function.__name__}-*.nbc") if self._folder else ():
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kept code; None, so that it is compiled again, if there is none or it is damaged.

        numba's own would first fill the tables that compiling needs, a tenth of a start; compiling fills them itself.
        """
        rtsys.initialize(target_context)
        target_context.codegen()._library_class = _KeptCode
        for path in self.paths(sig, target_context):
            try:
                kept = path.read_bytes()
                if hashlib.sha256(kept[CHECK_BYTES:]).digest() != kept[:CHECK_BYTES]:
                    raise ValueError("found another digest than the file's first bytes tell: it is damaged")
                reduced = pickle.loads(kept[CHECK_BYTES:])
                if reduced[SIGNATURE].args != tuple(normalize_signature(sig)[0]):
                    continue  # two named tuples of one name: numba tells them apart, their words do not
                return CompileResult._rebuild(target_context, *reduced)
            except FileNotFoundError:
                continue
            except (OSError, EOFError, ValueError, AttributeError, ImportError, pickle.UnpicklingError) as error:
                log.warning("kernels.cache_unreadable", extra={"kernel": path.name, "reason": str(error)})
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code; a full or vanished disk costs the next start time, never this one its answer."""
        if self._folder is None:
            return
        path = self._folder / self._name(sig, data.codegen.magic_tuple())
        try:
            if data.library.has_dynamic_globals:
                raise ValueError("found addresses of this process in the code, expected none")
            # Without numba's listing of the types, a third of the file, which names the folder of the source.
            kept = dumps(data._replace(type_annotation="")._reduce())
            _write(path, hashlib.sha256(kept).digest() + kept)
        except (OSError, ValueError) as error:
            log.warning("kernels.cache_unwritable", extra={"kernel": path.name, "reason": str(error)})


def _write(path: Path, content: bytes) -> None:
    """Write a file that others see complete or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
