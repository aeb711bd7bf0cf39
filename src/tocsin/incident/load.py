"""Load: a file of claims (`tocsin-claims/1`) into frozen records, each refusal with its file and line.

Implements docs/format/claims.md. Unknown keys are refused, so that a misspelt `polarity` cannot turn a denial into an
assertion. It resolves nothing: no relative time, no place name, no actor that a person has not named.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tocsin.agreement.source.document import compose
from tocsin.errors import AgreementError, ClaimError
from tocsin.incident.act import Act
from tocsin.incident.book import ClaimBook, Incident, SensorCount, SensorScope
from tocsin.incident.claim import (
    Attribution,
    Certainty,
    Claim,
    ClaimedPlace,
    ClaimedTime,
    Hand,
    Handing,
    Mention,
    Polarity,
    Quantity,
    Reliability,
    Role,
    Source,
    SourceKind,
    TimeBasis,
)
from tocsin.incident.names import AliasGroup, Names
from tocsin.incident.table import Table
from tocsin.units import parse_instant_us, parse_length_m

FORMAT = "tocsin-claims/1"


def load_claims(path: Path) -> ClaimBook:
    """Return the claims of a file, with their sources, incidents and names.

    Parameters
    ----------
    path : Path
        YAML, `tocsin-claims/1`.

    Raises
    ------
    ClaimError
        If anything in it is not as the format says: what was found, what was expected, and the line.
    """
    return parse_claims(path.read_bytes(), file=str(path))


def parse_claims(text: bytes, *, file: str) -> ClaimBook:
    """Return the claims of a YAML text; `file` is the name to give in places. Raises as `load_claims`."""
    try:
        root = compose(text, file=file).root
    except AgreementError as error:
        raise ClaimError(error.found, expected=error.expected, place=error.place) from error
    top = Table(root, "", file)
    if top.text("format") != FORMAT:
        raise top.refusal("format", f"format: {FORMAT}")
    sources = tuple(_source(t) for t in top.tables("sources"))
    _linked(top.tables("sources"), sources)
    names = _names(top.table("names")) if "names" in top else Names()
    incidents = tuple(_incident(t) for t in top.tables("incidents"))
    claims = tuple(_claim(t) for t in top.tables("claims"))
    _referred(top.tables("claims"), claims, {s.source_id for s in sources}, {i.incident_id for i in incidents})
    _unique(top.tables("incidents"))
    top.done()
    return ClaimBook(incidents=incidents, sources=sources, names=names, claims=claims)


def _source(table: Table) -> Source:
    found = Source(
        source_id=table.text("id"),
        name=table.text("name"),
        kind=table.choice("kind", SourceKind),
        reliability=table.choice("reliability", Reliability, Reliability.F),
        ref=table.maybe_text("ref"),
        parent=table.maybe_text("parent"),
    )
    if found.kind is SourceKind.SYSTEM:
        raise table.refusal("kind", "another kind: what the system saw is not entered by hand")
    table.done()
    return found


def _linked(tables: list[Table], sources: tuple[Source, ...]) -> None:
    """Refuse a parent that is not a source, and a source that speaks within itself."""
    _unique(tables)
    parent = {s.source_id: s.parent for s in sources}
    for table, source in zip(tables, sources, strict=True):
        above, passed = source.parent, {source.source_id}
        while above is not None:
            if above not in parent:
                raise table.refusal("parent", f"the id of a source ({', '.join(parent)})")
            if above in passed:
                raise table.refusal("parent", "a source that does not speak within this one")
            passed.add(above)
            above = parent[above]


def _names(table: Table) -> Names:
    groups = []
    for group in table.tables("groups"):
        groups.append(
            AliasGroup(
                actor_id=group.text("id"),
                preferred=group.text("preferred"),
                alternates=group.texts("alternates"),
                part_of=group.texts("part_of"),
            )
        )
        group.done()
    pairs = set()
    for pair in table.tables("do_not_merge"):
        both = pair.texts("names")
        if len(both) != 2:
            raise pair.refusal("names", "two names")
        pair.text("reason")
        pair.done()
        pairs.add(frozenset(both))
    table.done()
    try:
        return Names(tuple(groups), frozenset(pairs))
    except ValueError as error:
        raise ClaimError(str(error), expected="one actor a name", place=table.place()) from error


def _incident(table: Table) -> Incident:
    found = Incident(
        incident_id=table.text("id"),
        title=table.text("title"),
        is_simulated=table.flag("simulated"),
        note=table.maybe_text("note"),
        sensors=_scope(table.table("sensors")) if table.node_of("sensors") else None,
    )
    table.done()
    return found


def _scope(table: Table) -> SensorScope:
    counts = []
    for count in table.tables("counts"):
        counts.append(
            SensorCount(
                act=count.choice("act", Act),
                of=count.text("of"),
                unit=count.text("unit"),
                about=count.maybe_text("about"),
            )
        )
        count.done()
    found = SensorScope(
        zones=frozenset(table.texts("zones")),
        from_us=table.quantity("from", parse_instant_us),
        to_us=table.quantity("to", parse_instant_us),
        parties=frozenset(table.texts("parties")) if table.node_of("parties") else None,
        categories=frozenset(table.texts("categories")) if table.node_of("categories") else None,
        counts=tuple(counts),
    )
    if not found.zones:
        raise table.refusal("zones", "the zones whose events belong to the incident")
    table.done()
    return found


def _claim(table: Table) -> Claim:
    words, paraphrase = table.maybe_text("words"), table.maybe_text("paraphrase")
    text = words if words is not None else paraphrase
    if text is None or (words is not None and paraphrase is not None):
        raise table.refusal("words", "either `words`, letter for letter, or `paraphrase`")
    credibility = table.number("credibility")
    if credibility is not None and credibility not in range(1, 7):
        raise table.refusal("credibility", "1 to 6")
    found = Claim(
        claim_id=table.text("id"),
        incident_id=table.text("incident"),
        source_id=table.text("source"),
        words=text,
        is_verbatim=words is not None,
        attribution=table.choice("attribution", Attribution),
        act=table.choice("act", Act),
        about=table.maybe_text("about"),
        actors=_mentions(table, "actors"),
        targets=_mentions(table, "targets"),
        place=_place(table),
        time=_time(table),
        quantities=tuple(_quantity(t) for t in table.tables("quantities")),
        polarity=table.choice("polarity", Polarity, Polarity.POSITIVE),
        certainty=table.choice("certainty", Certainty),
        certainty_cue=table.maybe_text("certainty_cue"),
        via=tuple(_hand(t) for t in table.tables("via")),
        credibility=6 if credibility is None else int(credibility),
        supersedes=table.maybe_text("supersedes"),
        published=table.edtf("published"),
        note=table.maybe_text("note"),
    )
    table.done()
    return found


def _mentions(table: Table, key: str) -> tuple[Mention, ...]:
    found = []
    for one in table.tables(key):
        found.append(
            Mention(
                as_worded=one.text("as_worded"),
                role=one.choice("role", Role, Role.REPORTED),
                actor_id=one.maybe_text("actor"),
            )
        )
        one.done()
    return tuple(found)


def _place(parent: Table) -> ClaimedPlace | None:
    if not parent.node_of("place"):
        return None
    table = parent.table("place")
    found = ClaimedPlace(
        as_worded=table.text("as_worded"),
        refers_to=table.maybe_text("refers_to"),
        lat_deg=table.number("lat_deg"),
        lon_deg=table.number("lon_deg"),
        radius_m=table.quantity("radius", parse_length_m),
    )
    table.done()
    if (found.lat_deg is None) != (found.lon_deg is None):
        raise ClaimError("one coordinate", expected="both lat_deg and lon_deg, or neither", place=table.place())
    for key, value, limit in (("lat_deg", found.lat_deg, 90.0), ("lon_deg", found.lon_deg, 180.0)):
        if value is not None and not -limit <= value <= limit:
            raise table.refusal(key, f"degrees from -{limit:g} to {limit:g}")
    if found.lat_deg is not None and found.radius_m is None:
        raise table.refusal("radius", 'how precise the coordinates are, such as "5 km"')
    return found


def _time(parent: Table) -> ClaimedTime | None:
    if not parent.node_of("time"):
        return None
    table = parent.table("time")
    found = ClaimedTime(
        as_worded=table.text("as_worded"),
        edtf=table.edtf("edtf"),
        basis=table.choice("basis", TimeBasis, TimeBasis.NONE),
    )
    table.done()
    if (found.edtf is None) != (found.basis is TimeBasis.NONE):
        raise table.refusal("basis", "a basis if there is an edtf, and none if there is not")
    return found


def _quantity(table: Table) -> Quantity:
    value, low, high = table.number("value"), table.number("low"), table.number("high")
    if value is not None and (low is not None or high is not None):
        raise table.refusal("value", "either `value`, or `low` and `high`")
    low, high = (value, value) if value is not None else (low, high)
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise ClaimError(
            f"low {low} and high {high}", expected="a value, or a low not above the high", place=table.place()
        )
    found = Quantity(
        as_worded=table.text("as_worded"),
        low=low,
        high=high,
        unit=table.text("unit"),
        of=table.text("of"),
        is_approximate=table.flag("approximate"),
    )
    table.done()
    return found


def _hand(table: Table) -> Hand:
    found = Hand(source_id=table.text("source"), how=table.choice("how", Handing))
    table.done()
    return found


def _referred(tables: list[Table], claims: tuple[Claim, ...], sources: set[str], incidents: set[str]) -> None:
    """Refuse a claim that names a source, incident or claim which is not there, or succeeds what it may not."""
    _unique(tables)
    by_id: dict[str, Claim] = {}
    succeeded: dict[str, str] = {}
    for table, claim in zip(tables, claims, strict=True):
        if claim.source_id not in sources:
            raise table.refusal("source", f"the id of a source ({', '.join(sorted(sources))})")
        if claim.incident_id not in incidents:
            raise table.refusal("incident", f"the id of an incident ({', '.join(sorted(incidents))})")
        for hand in claim.via:
            if hand.source_id not in sources:
                raise table.refusal("via", f"ids of sources ({', '.join(sorted(sources))})")
        by_id[claim.claim_id] = claim
        if claim.supersedes is None:
            continue
        older = by_id.get(claim.supersedes) if claim.supersedes != claim.claim_id else None
        if older is None or older.source_id != claim.source_id or older.incident_id != claim.incident_id:
            raise table.refusal("supersedes", "a claim above it, of the same source about the same incident")
        if claim.supersedes in succeeded:
            raise table.refusal("supersedes", f"a claim not yet succeeded by {succeeded[claim.supersedes]!r}")
        succeeded[claim.supersedes] = claim.claim_id


def _unique(tables: Iterable[Table]) -> None:
    seen: set[str] = set()
    for table in tables:
        name = table.text("id")
        if name in seen:
            raise table.refusal("id", "an id that stands once")
        seen.add(name)
