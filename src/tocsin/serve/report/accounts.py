"""Accounts: the comparison of an incident's claims as a matrix to print.

A claim's words stand once, in the cell of the fact it is mainly about; its other cells hold the slot alone.
Contradictions carry letters, on the cells and in the list below. No cell is emphasised over another.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.incident.compare import Column, Comparison, Entry, Row, Standing
from tocsin.incident.contradict import ConflictType, Contradiction, Fact, fact_of

FACT_NAMES: dict[Fact, str] = {
    Fact.OCCURRENCE: "What happened",
    Fact.ACTOR: "By whom",
    Fact.TARGET: "To whom",
    Fact.PLACE: "Where",
    Fact.QUANTITY: "How many, how far",
    Fact.TIME: "When",
    Fact.ARRANGEMENT: "Was there an arrangement",
    Fact.WARNING: "Was there a warning",
    Fact.RESPONSE: "Was there an answer",
    Fact.CHARACTER: "What it is called",
}
"""The head of each column."""

STANDING_WORDS: dict[Standing, str] = {
    Standing.NOT_SAID: "not said",
    Standing.UNDETERMINED: "undetermined",
    Standing.ONE_ACCOUNT: "one account",
    Standing.COMPATIBLE: "accounts can stand together",
    Standing.CONTRADICTED: "accounts contradict",
}
"""How the accounts of a column stand to each other."""

CONFLICT_WORDS: dict[ConflictType, str] = {
    ConflictType.ACTOR: "who did it",
    ConflictType.TARGET: "to whom it was done",
    ConflictType.RESPONSIBILITY: "whether this one did it",
    ConflictType.QUANTITY: "how many or how far",
    ConflictType.OCCURRENCE: "whether it happened",
    ConflictType.WARNING_GIVEN: "whether a warning was given",
    ConflictType.RESPONSE_GIVEN: "whether there was an answer",
    ConflictType.ARRANGEMENT: "whether there was an arrangement",
}
"""What a contradiction is about."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a cell: the slot, and the claim's words if they stand here."""

    entry: Entry
    has_words: bool
    letters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """One source's row: for each column its lines, or none where it says nothing."""

    row: Row
    cells: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One incident's accounts."""

    comparison: Comparison
    columns: tuple[Column, ...]
    not_said: tuple[str, ...]
    accounts: tuple[Account, ...]
    contradictions: tuple[tuple[str, Contradiction], ...]


def matrix(comparison: Comparison) -> Matrix:
    """Return a comparison as a matrix; columns that nobody speaks to are named apart."""
    shown = tuple(c for c in comparison.columns if c.standing is not Standing.NOT_SAID)
    lettered = tuple((_letter(n), c) for n, c in enumerate(comparison.contradictions))
    letter_of = {c.contradiction_id: letter for letter, c in lettered}
    accounts = tuple(
        Account(
            row,
            tuple(tuple(_line(e, column.fact, letter_of) for e in row.cells.get(column.fact, ())) for column in shown),
        )
        for row in comparison.rows
    )
    return Matrix(
        comparison=comparison,
        columns=shown,
        not_said=tuple(FACT_NAMES[c.fact].lower() for c in comparison.columns if c.standing is Standing.NOT_SAID),
        accounts=accounts,
        contradictions=lettered,
    )


def _line(entry: Entry, fact: Fact, letter_of: dict[str, str]) -> Line:
    return Line(entry, fact is fact_of(entry.claim.act), tuple(letter_of[c] for c in entry.contradictions))


def _letter(n: int) -> str:
    return chr(ord("A") + n) if n < 26 else f"{chr(ord('A') + n % 26)}{n // 26 + 1}"
