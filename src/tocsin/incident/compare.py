"""Compare: what each source says of one incident, side by side; nobody is declared right.

The matrix has a row for each source and a column for each fact that people ask about. A cell holds what that source
says, entry by entry, and an entry knows the contradictions it is a side of. "Undetermined" is an answer, and silence is
not the same. Accounts count as independent only if they come from different roots: ten copies of one agency are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from tocsin.incident.act import Act
from tocsin.incident.book import Incident
from tocsin.incident.claim import Certainty, Claim, Polarity, Role, Source
from tocsin.incident.contradict import FACT_OF_CONFLICT, Contradiction, Fact, fact_of, find_contradictions
from tocsin.incident.names import Names


class Standing(StrEnum):
    """How the accounts of one fact stand to each other. It says nothing about what is true."""

    NOT_SAID = "not_said"
    UNDETERMINED = "undetermined"
    ONE_ACCOUNT = "one_account"
    COMPATIBLE = "compatible"
    CONTRADICTED = "contradicted"


class Entry(Struct, frozen=True, kw_only=True):
    """What one claim contributes to one cell.

    Attributes
    ----------
    claim : Claim
    value : str
        The slot, short and as worded.
    is_undetermined : bool
        True where the source says that it is not known.
    contradictions : tuple of str
        Ids of the contradictions that this entry is a side of.
    succeeded_by : str or None
        The source's own later claim, if it took this one back.
    """

    claim: Claim
    value: str
    is_undetermined: bool
    contradictions: tuple[str, ...] = ()
    succeeded_by: str | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One source's account: for each fact, its entries; a fact it is silent on is absent."""

    source: Source
    cells: Mapping[Fact, tuple[Entry, ...]]


class Column(Struct, frozen=True, kw_only=True):
    """One fact: how the accounts stand to each other, and from how many independent roots they come."""

    fact: Fact
    standing: Standing
    root_ids: tuple[str, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """One incident as a matrix of source by fact, with its contradictions; `sources` are all, the silent ones too."""

    incident: Incident
    sources: tuple[Source, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    contradictions: tuple[Contradiction, ...]


def compare(incident: Incident, claims: Sequence[Claim], *, sources: Sequence[Source], names: Names) -> Comparison:
    """Return every source's account of an incident side by side.

    Parameters
    ----------
    incident : Incident
    claims : sequence of Claim
        Those of other incidents are left aside.
    sources : sequence of Source
        In the order of the rows; every claim's source and hands are among them.
    names : Names
        Alias groups that persons confirmed.

    Returns
    -------
    Comparison
        Rows in the order of `sources`, without the silent ones; all columns, in the order of `Fact`.

    Notes
    -----
    Quadratic in the claims about one subject; claims about different subjects never meet.
    """
    ours = [c for c in claims if c.incident_id == incident.incident_id]
    successor = {c.supersedes: c.claim_id for c in ours if c.supersedes is not None}
    standing = [c for c in ours if c.claim_id not in successor]
    roots = root_sources(sources)
    found = find_contradictions(standing, roots=roots, names=names)
    rows = tuple(
        Row(source=source, cells=cells)
        for source in sources
        if (cells := _cells([c for c in ours if c.source_id == source.source_id], found, successor))
    )
    columns = tuple(_column(fact, rows, roots, found) for fact in Fact)
    return Comparison(incident=incident, sources=tuple(sources), columns=columns, rows=rows, contradictions=found)


def root_sources(sources: Iterable[Source]) -> dict[str, str]:
    """Return the root of every source: the outermost one that it speaks within, or itself."""
    parent = {s.source_id: s.parent for s in sources}
    roots: dict[str, str] = {}
    for source_id, its_parent in parent.items():
        root, above = source_id, its_parent
        while above is not None:
            root, above = above, parent[above]
        roots[source_id] = root
    return roots


def _cells(
    claims: Sequence[Claim], found: Sequence[Contradiction], successor: Mapping[str, str]
) -> dict[Fact, tuple[Entry, ...]]:
    cells: dict[Fact, list[Entry]] = {}
    for claim in claims:
        for fact, value, unknown in _slots(claim):
            marks = tuple(
                c.contradiction_id
                for c in found
                if FACT_OF_CONFLICT[c.type] is fact and any(claim.claim_id in s.claim_ids for s in c.sides)
            )
            cells.setdefault(fact, []).append(
                Entry(
                    claim=claim,
                    value=value,
                    is_undetermined=unknown,
                    contradictions=marks,
                    succeeded_by=successor.get(claim.claim_id),
                )
            )
    return {fact: tuple(cells[fact]) for fact in Fact if fact in cells}


def _slots(claim: Claim) -> Iterable[tuple[Fact, str, bool]]:
    """Yield (fact, value, whether the source says that it is not known) for each thing a claim speaks to."""
    fact = fact_of(claim.act)
    unknown = claim.certainty is Certainty.UNKNOWN
    act = str(claim.act).replace("_", " ")
    yes = claim.polarity is Polarity.POSITIVE
    yield fact, act if yes else f"{act}: no", unknown or claim.act is Act.UNKNOWN_ATTRIBUTION
    if fact is Fact.OCCURRENCE:
        for mention in claim.actors:
            yield Fact.ACTOR, mention.as_worded, mention.role is Role.UNKNOWN
        for mention in claim.targets:
            yield Fact.TARGET, mention.as_worded, mention.role is Role.UNKNOWN
        if claim.place is not None:
            yield Fact.PLACE, claim.place.as_worded, unknown
        if claim.time is not None:
            yield Fact.TIME, claim.time.as_worded, unknown
    for quantity in claim.quantities:
        yield Fact.QUANTITY, f"{quantity.as_worded} ({quantity.of})", unknown


def _column(fact: Fact, rows: Sequence[Row], roots: Mapping[str, str], found: Sequence[Contradiction]) -> Column:
    entries = [e for row in rows for e in row.cells.get(fact, ()) if e.succeeded_by is None]
    spoken = [e for e in entries if not e.is_undetermined]
    root_ids = tuple(sorted({roots[e.claim.source_id] for e in spoken}))
    if any(FACT_OF_CONFLICT[c.type] is fact for c in found):
        standing = Standing.CONTRADICTED
    elif not entries:
        standing = Standing.NOT_SAID
    elif not spoken:
        standing = Standing.UNDETERMINED
    else:
        standing = Standing.ONE_ACCOUNT if len(root_ids) == 1 else Standing.COMPATIBLE
    return Column(fact=fact, standing=standing, root_ids=root_ids)
