"""What is compiled beforehand is all that anybody calls."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "tocsin"
UNCALLED = """
import pkgutil, sys
from numba.core.dispatcher import Dispatcher
from tocsin.watch.compiling import compile_kernels

compile_kernels()
for name in sys.argv[1:]:
    found = pkgutil.resolve_name(name)
    if isinstance(found, Dispatcher) and not found.overloads:
        print(name)
"""


def _named_by(path: Path) -> set[str]:
    """Return what a module names of `tocsin.kernels`, dotted: what it imports, and what it takes out of that."""
    tree, named, aliases = ast.parse(path.read_text()), set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tocsin.kernels"):
            for each in node.names:
                aliases[each.asname or each.name] = f"{node.module}.{each.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            named.add(f"{aliases[node.value.id]}.{node.attr}")
    return named | set(aliases.values())


def test_every_kernel_that_is_called_from_outside_is_compiled_beforehand():
    """Would catch a new kernel that the first rehearsal after an install waits a minute for."""
    others = [p for p in HOUSE.rglob("*.py") if p.parent != HOUSE / "kernels" and HOUSE / "kernels" not in p.parents]
    named = sorted(set().union(*map(_named_by, others)))
    assert "tocsin.kernels.detect.sweep.sweep" in named
    command = [sys.executable, "-c", UNCALLED, *named]
    assert not subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
