"""What building a wheel adds to hatchling: the watch's kernels, compiled for this machine.

So that the first start after `pip install` is like every other, rather than minutes of compiling. The wheel is then
tagged for this interpreter and system, and `kernels/kept.py` uses the code only where the processor, too, and all that
made it are the same. An editable install and an sdist get none. `HATCH_BUILD_NO_HOOKS=true`, hatchling's own setting,
leaves it out: a pure wheel for any machine, which compiles at its first start. A kernel that cannot be compiled here
could not be compiled at a station's start either, so that the build fails rather than bring a watch that cannot watch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "tocsin/kernels/compiled"
COMPILE = "from tocsin.watch.compiling import compile_kernels; compile_kernels()"
PACK = f"{COMPILE}; import sys; from pathlib import Path; from tocsin.kernels.jit import pack; pack(Path(sys.argv[1]))"
"""In a process of its own, which loads what the first has compiled: what it loads is what a start needs."""
HONOURED = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
"""Settings of numba that the code's own description names; any other would change the code unseen."""


class CompiledKernels(BuildHookInterface[Any]):
    """Compiles the kernels into a folder that lasts as long as the build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the install is to be editable, and say what the wheel then is."""
        if version == "editable":
            return
        self.app.display_info("Compiling the watch's kernels for this machine: some three minutes of one core.")
        self.app.display_info("HATCH_BUILD_NO_HOOKS=true leaves them out of the wheel.")
        self._folder = tempfile.TemporaryDirectory(prefix="tocsin-")
        made = Path(self._folder.name) / "made"
        made.mkdir()
        for code in (COMPILE, PACK):
            self._run(code, made)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"][str(made)] = PLACE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Delete the folder: the wheel is written."""
        if version != "editable":
            self._folder.cleanup()

    def _run(self, code: str, made: Path) -> None:
        """Run Tocsin's code out of the source tree, with what this build has installed."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_") or k in HONOURED}
        # What an earlier build or a start has compiled is taken only from a folder that the builder names.
        env["NUMBA_CACHE_DIR"] = os.environ.get("NUMBA_CACHE_DIR") or str(Path(self._folder.name) / "cache")
        env["PYTHONPATH"] = os.pathsep.join([str(Path(self.root) / "src"), *sys.path])
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, str(made)], env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"{done.stdout}{done.stderr}\ntocsin: the kernels could not be compiled here (exit code "
                f"{done.returncode}, see above). HATCH_BUILD_NO_HOOKS=true builds a wheel without compiled kernels."
            )
