"""Docstrings against signatures, so that neither can change alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "tocsin"
FILES = sorted(SOURCE.rglob("*.py"))


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    bodies = [tree.body, *(c.body for c in tree.body if isinstance(c, ast.ClassDef) and not c.name.startswith("_"))]
    for body in bodies:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield node


def _documented(docstring: str) -> set[str]:
    """Return the names under "Parameters" of a numpydoc docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-{3,}\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    if section is None:
        return set()
    heads = re.findall(r"^([*\w, ]+?)(?: :.*)?$", section[1], re.MULTILINE)
    return {name.strip(" *") for head in heads for name in head.split(",")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_public_functions_document_the_parameters_they_have(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path.name} does not say what it is"
    for function in _public_functions(tree):
        docstring = ast.get_docstring(function)
        assert docstring, f"{function.name} says nothing of itself"
        arguments = function.args
        names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        names |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a}
        stale = _documented(docstring) - names
        assert not stale, f"{function.name} documents {sorted(stale)}, which it does not take"
        if _documented(docstring) and not path.is_relative_to(SOURCE / "kernels"):
            unsaid = names - _documented(docstring) - {"self", "cls"}
            assert not unsaid, f"{function.name} documents some parameters but not {sorted(unsaid)}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [p for p in FILES if p.stem in {"utils", "helpers", "common", "misc"}]
