"""Accounts: the comparison of an incident's claims as a matrix to print.

A cell holds the slot as the source worded it; the claims stand below the matrix, word for word, by source.
Contradictions carry letters, on the cells and in the list below. No cell is emphasised over another.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.incident.act import Act
from tocsin.incident.claim import Claim, Polarity, Source
from tocsin.incident.compare import Column, Comparison, Entry, Row, Standing
from tocsin.incident.contradict import ConflictType, Contradiction, Fact
from tocsin.serve.report.text import words

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


class Line(Struct, frozen=True):
    """One entry of a cell: the slot as worded, the hedge, and the letters of its contradictions."""

    entry: Entry
    value: str
    letters: tuple[str, ...]


class Account(Struct, frozen=True):
    """One source's row: for each column its lines, none where it says nothing; and its claims, word for word."""

    source: Source
    cells: tuple[tuple[Line, ...], ...]
    claims: tuple[tuple[Claim, str | None], ...]


class Matrix(Struct, frozen=True):
    """One incident's accounts; `names` are those of all sources, by id."""

    comparison: Comparison
    columns: tuple[Column, ...]
    not_said: tuple[str, ...]
    accounts: tuple[Account, ...]
    contradictions: tuple[tuple[str, Contradiction], ...]
    names: dict[str, str]


def matrix(comparison: Comparison) -> Matrix:
    """Return a comparison as a matrix; columns that nobody speaks to are named apart."""
    shown = tuple(c for c in comparison.columns if c.standing is not Standing.NOT_SAID)
    lettered = tuple((_letter(n), c) for n, c in enumerate(comparison.contradictions))
    letter_of = {c.contradiction_id: letter for letter, c in lettered}
    return Matrix(
        comparison=comparison,
        columns=shown,
        not_said=tuple(FACT_NAMES[c.fact].lower() for c in comparison.columns if c.standing is Standing.NOT_SAID),
        accounts=tuple(_account(row, shown, letter_of) for row in comparison.rows),
        contradictions=lettered,
        names={source.source_id: source.name for source in comparison.sources},
    )


def _account(row: Row, columns: tuple[Column, ...], letter_of: dict[str, str]) -> Account:
    cells = tuple(tuple(_line(e, c.fact, letter_of) for e in row.cells.get(c.fact, ())) for c in columns)
    claims = {e.claim.claim_id: (e.claim, e.succeeded_by) for cell in row.cells.values() for e in cell}
    return Account(row.source, cells, tuple(claims.values()))


def _line(entry: Entry, fact: Fact, letter_of: dict[str, str]) -> Line:
    return Line(entry, _value(entry, fact), tuple(letter_of[c] for c in entry.contradictions))


def _value(entry: Entry, fact: Fact) -> str:
    """Return what stands in a cell; a column that asks "was there" is answered by yes or no, and of what."""
    claim = entry.claim
    if fact not in (Fact.ARRANGEMENT, Fact.WARNING, Fact.RESPONSE):
        return entry.value
    yes = (claim.polarity is Polarity.POSITIVE) is not (claim.act is Act.NON_RESPONSE)
    of = claim.about or (words(claim.act) if claim.act in (Act.OBJECTION, Act.NOTIFICATION) else "")
    answer = "yes" if yes else "no"
    if claim.act is Act.OBJECTION:
        return f"objection{f': {claim.about}' if claim.about else ''}"
    return f"{answer}: {of}" if of else answer


def _letter(n: int) -> str:
    return chr(ord("A") + n) if n < 26 else f"{chr(ord('A') + n % 26)}{n // 26 + 1}"
