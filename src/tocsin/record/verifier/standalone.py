"""The verifier as one Python file, for a party that trusts neither the keeper nor its software.

Puts the modules of this package that verification needs one after the other, without their imports of each other.
What a party runs is thereby the text that Tocsin's own tests run; it needs Python 3.11, the standard library and
`cryptography`. Adds nothing of its own but a head and the command line.
"""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

MODULES = (
    "files",
    "c2sp/merkle",
    "c2sp/note",
    "c2sp/checkpoint",
    "c2sp/tiles",
    "c2sp/cosign",
    "envelope",
    "verifier/source",
    "payload",
    "c2sp/policy",
    "verifier/evidence",
    "verifier/memory",
    "verifier/keychain",
    "verifier/audit",
    "verifier/verify",
    "verifier/entitled",
    "c2sp/proof",
    "verifier/pack",
    "verifier/command",
)
"""What verification needs, each module after those it imports."""

ERRORS = ("TocsinError", "RecordError", "VerificationError", "SplitViewError", "RollbackError", "ForkError")
"""Classes taken from `tocsin.errors`."""

HEAD = '''#!/usr/bin/env python3
"""Verify a Tocsin record: python3 verify.py DIR|URL [--state FILE] [--vkey KEY]

Needs Python 3.11 and `pip install cryptography`; asks nobody. Exit 0 good, 1 bad, 2 usage, 3 rollback or fork,
4 no answer. This file was put together from the modules of tocsin.record; the sections keep their names.
"""

from __future__ import annotations
'''

TAIL = """

if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
"""


def standalone_source() -> str:
    """Return the text of the one-file verifier.

    Raises
    ------
    ValueError
        If two modules give the same name to different things: one file could not hold both.
    """
    imports: set[str] = set()
    sections: list[str] = []
    owners: dict[str, str] = {}
    for module in ("errors", *MODULES):
        tree, lines = _parsed(module)
        body: list[str] = []
        for node in tree.body[1:]:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= _outside_imports(node)
            elif module != "errors" or getattr(node, "name", "") in ERRORS:
                for name in _names(node):
                    if owners.setdefault(name, module) != module:
                        raise ValueError(f"{name} is defined in {owners[name]} and in {module}")
                body.append(("\n" if isinstance(node, ast.Expr) else "\n\n\n") + _text(node, lines))
        sections.append(f"\n\n\n# {module} {'-' * (110 - len(module))}" + "".join(body))
    return HEAD + "\n" + "\n".join(sorted(imports)) + "".join(sections) + "\n" + TAIL


def write_standalone(path: Path) -> None:
    """Write the one-file verifier."""
    path.write_text(standalone_source(), encoding="utf-8")


def _parsed(module: str) -> tuple[ast.Module, list[str]]:
    package = "tocsin" if module == "errors" else "tocsin.record"
    text = resources.files(package).joinpath(f"{module}.py").read_text(encoding="utf-8")
    return ast.parse(text), text.splitlines()


def _outside_imports(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {f"import {alias.name}" for alias in node.names}
    if node.module is None or node.module.split(".")[0] in {"tocsin", "__future__"}:
        return set()
    return {f"from {node.module} import {alias.name}" for alias in node.names}


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(node: ast.stmt, lines: list[str]) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = decorators[0].lineno if decorators else node.lineno
    return "\n".join(lines[first - 1 : node.end_lineno])
