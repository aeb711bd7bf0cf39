"""Transitions: the picture of a machine that is a table, so that picture and table cannot part.

Left out: the states, the inputs and the table, which are each machine's own, and the refusal of an unlisted pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


def diagram(table: Mapping[S, Mapping[T, S]], first: S, last: S | None = None) -> str:
    """Return a table as a Mermaid state diagram: one arrow for a pair of states, what changes nothing left out.

    Parameters
    ----------
    table : mapping of StrEnum to mapping of StrEnum to StrEnum
        State, then input, then the next state.
    first : StrEnum
        The state that a machine begins in.
    last : StrEnum, optional
        The state that it ends in, if it has one.
    """
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for state, listed in table.items():
        for target in type(first):
            inputs = [happened for happened, after in listed.items() if after is target and target is not state]
            if inputs:
                told = [str(happened) for happened in type(inputs[0]) if happened in inputs]
                lines.append(f"    {state} --> {target}: {', '.join(told)}")
    if last is not None:
        lines.append(f"    {last} --> [*]")
    return "\n".join(lines)
