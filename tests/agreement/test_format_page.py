"""The format's page: its example loads, runs and lints; it names every key, and no limit that is not the code's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.lint import lint
from tocsin.agreement.load import parse
from tocsin.agreement.model import Agreement
from tocsin.agreement.source import document
from tocsin.agreement.source.read import alternatives, plan_of
from tocsin.agreement.terms.types import Record
from tocsin.agreement.watchlist import Conduct

PAGE = (Path(__file__).parent.parent.parent / "docs" / "format" / "agreement.md").read_text()


def records(cls: type[Record], seen: set[type[Record]]) -> Iterator[type[Record]]:
    if cls in seen:
        return
    seen.add(cls)
    yield cls
    hints: list[Any] = [slot.hint for slot in plan_of(cls).keys.values()]
    while hints:
        hint = hints.pop()
        hints += [*get_args(hint)]
        for part in alternatives(hint):
            if isinstance(part, type) and issubclass(part, Record):
                yield from records(part, seen)


def test_example_loads_and_compiles():
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    agreement = parse(example[1])
    assert not agreement.unknown
    assert compile_watchlist(agreement).zones and compile_playbook(agreement).levels
    assert not {f.code for f in lint(agreement)} & {"GEO-01", "CON-01", "PAR-02", "FMT-01"}


def test_every_key_of_the_format_stands_on_the_page():
    table = PAGE[PAGE.index("## The file") :]
    words = set(re.findall(r"[A-Za-z_]+", table))
    missing = {
        f"{cls.__name__}.{slot.key}"
        for cls in records(Agreement, set())
        for slot in plan_of(cls).keys.values()
        if slot.key not in words
    }
    assert not missing


def test_limits_and_kinds_are_those_of_the_code():
    assert f"{document.MAX_BYTES >> 20} MiB" in PAGE
    assert f"{document.MAX_NODES:,} values" in PAGE and f"{document.MAX_DEPTH} levels" in PAGE
    assert f"`event` is one of `{' '.join(Conduct)}`" in PAGE


def test_clauses_are_numbered_without_a_gap():
    numbers = [int(n) for n in re.findall(r"^(\d+)\. ", PAGE, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
