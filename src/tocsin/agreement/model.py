"""The agreement as frozen records: one a section of `tocsin-agreement/1` (docs/format/agreement.md).

A field's name is its key: a trailing underscore is dropped (`from_`), and a unit at its end (`radius_m`) may be left
out where the value carries its own (`radius: 55 km`). `source/read.py` reads by these annotations and `schema.py`
publishes them. The sections themselves are in `terms/`. Nothing is checked here beyond the type of each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

from msgspec import Struct, field

from tocsin.agreement.source.document import Document
from tocsin.agreement.terms.conduct import ConductTerms
from tocsin.agreement.terms.mechanisms import (
    Amendment,
    Disputes,
    Exit,
    Incidents,
    Notices,
    Orders,
    RecordKeeping,
    Verification,
)
from tocsin.agreement.terms.places import DomainsOut, Feature, Site, StatusQuo, Zone
from tocsin.agreement.terms.routing import RoutingGrant
from tocsin.agreement.terms.state import Maybe, State
from tocsin.agreement.terms.telling import (
    AlarmBudget,
    BeyondLadder,
    Channel,
    EndOfLadder,
    LadderLevel,
    StandDownOf,
    TimeBudget,
)
from tocsin.agreement.terms.types import Day, Hidden, Id, InstantUs, Json, Record, Seconds, TimeZone, Words
from tocsin.canon import digest
from tocsin.errors import Place

FORMAT = "tocsin-agreement/1"
"""The format's name and version, the first thing in every file."""


class Consent(StrEnum):
    """How a party stands to the agreement."""

    SIGNED = "signed"
    ACCEPTED = "accepted"
    DECLARED = "declared"
    """It says so itself, and nobody signed anything."""
    VIA = "via"
    """Bound through the party named in `by`."""
    DISPUTED = "disputed"
    REJECTED = "rejected"
    NONE = "none"


class ConsentOf(Record, frozen=True, kw_only=True):
    """A party's consent, who declared it, and the evidence."""

    state: Consent
    by: Maybe[str] = None
    on: Maybe[Day] = None
    source: Maybe[str] = None


class AnswersTo(Record, frozen=True, kw_only=True):
    """Whom a party answers to, and how certain that is (`known`, `probable`, `unknown`)."""

    party: str
    certainty: Maybe[str] = None


class Duty(Record, frozen=True, kw_only=True):
    """Something that somebody owes by a day: owner, deadline, judge, and the duties that come before it."""

    id: Id
    what: Maybe[str] = None
    owner: Maybe[str] = None
    by: Maybe[InstantUs | Day] = None
    within_s: Maybe[Seconds] = None
    judge: Maybe[str] = None
    after: Maybe[Words] = None


class Party(Record, frozen=True, kw_only=True):
    """Somebody the agreement names. `kind: non_party` is for those bound from outside it (`bound_by`)."""

    id: Id
    name: Maybe[str] = None
    aliases: Maybe[Words] = None
    kind: Maybe[str] = None
    role: Maybe[str] = None
    consent: Maybe[ConsentOf] = None
    speaks_for: Maybe[Words] = None
    answers_to: Maybe[AnswersTo] = None
    bound_by: Maybe[str] = None
    key: Maybe[str] = None
    """The public key by which it signs versions, as a C2SP vkey (Ed25519)."""
    duties: Maybe[tuple[Duty, ...]] = None


class Renewal(Record, frozen=True, kw_only=True):
    """The act that renews the agreement, whose it is, and how long before the end."""

    by: Maybe[str] = None
    of: Maybe[Words] = None
    at_least_before_s: Maybe[Seconds] = None


class Effective(Record, frozen=True, kw_only=True):
    """From when to when."""

    from_us: Maybe[InstantUs] = None
    to_us: Maybe[InstantUs] = None
    renewal: Maybe[Renewal | str] = None
    run_up: Maybe[Json] = None


class ClockOf(Record, frozen=True, kw_only=True):
    """The zone of local times, and the clock that counts."""

    zone: Maybe[TimeZone] = None
    canonical: Maybe[str] = None


class Languages(Record, frozen=True, kw_only=True):
    """Languages of the text, and of the warnings."""

    authentic: Maybe[Words] = None
    warning_texts: Maybe[Words] = None


class Source(Record, frozen=True, kw_only=True):
    """Where something in the agreement was taken from."""

    id: Id
    ref: Maybe[str] = None


class Excluded(Record, frozen=True, kw_only=True):
    """Groups outside the agreement: a closed list, and how it changes."""

    groups: Maybe[Words] = None
    change: Maybe[str] = None


class UnknownKey(Struct, frozen=True, kw_only=True):
    """A key that the format does not have: kept, and reported by the linter."""

    path: str
    key: str
    nearest: str | None


class Agreement(Record, frozen=True, kw_only=True, eq=False, dict=True):
    """One version of one agreement, as written."""

    format: str
    id: Id
    version: Maybe[int] = None
    title: Maybe[str] = None
    purpose: Maybe[str] = None
    author: Maybe[str] = None
    armed: Maybe[bool] = None
    effective: Maybe[Effective] = None
    clock: Maybe[ClockOf] = None
    languages: Maybe[Languages] = None
    sources: Maybe[tuple[Source, ...]] = None
    geojson: Maybe[str] = None
    features: Json | None = None
    parties: Maybe[tuple[Party, ...]] = None
    excluded_groups: Maybe[Excluded] = None
    sites: Maybe[tuple[Site, ...]] = None
    zones: Maybe[tuple[Zone, ...]] = None
    domains_out: Maybe[DomainsOut] = None
    status_quo: Maybe[StatusQuo] = None
    conduct: Maybe[ConductTerms] = None
    duties: Maybe[tuple[Duty, ...]] = None
    notices: Maybe[Notices] = None
    channels: Maybe[tuple[Channel, ...]] = None
    ladder: Maybe[tuple[LadderLevel, ...]] = None
    end_of_ladder: Maybe[EndOfLadder] = None
    beyond_ladder: Maybe[BeyondLadder] = None
    stand_down: Maybe[StandDownOf] = None
    texts: Maybe[Mapping[str, str | Mapping[str, str]]] = None
    time_budget: Maybe[TimeBudget] = None
    alarm_budget: Maybe[AlarmBudget] = None
    routing: Maybe[Mapping[str, RoutingGrant | Words]] = None
    verification: Maybe[Verification] = None
    incidents: Maybe[Incidents] = None
    disputes: Maybe[Disputes] = None
    amendment: Maybe[Amendment] = None
    exit: Maybe[Exit] = None
    orders: Maybe[Orders] = None
    record: Maybe[RecordKeeping] = None

    document: Hidden[Document]
    by_feature: Hidden[Mapping[str, Feature]] = field(default_factory=dict)
    site_features: Hidden[Mapping[str, str]] = field(default_factory=dict)
    """The feature of every site by the site's id; its own id where the site names none."""
    crs: Hidden[str | None] = None
    unknown: Hidden[tuple[UnknownKey, ...]] = ()
    collection: Hidden[Json] = None

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 (32 bytes) of what was written and drawn, whatever the order of its keys: RFC 8785."""
        return digest({"agreement": self.document.root.plain(), "geojson": self.collection})

    def where(self, path: str) -> Place:
        """Return the place of a value of this agreement; see `Document.where`."""
        return self.document.where(path)

    def state(self, path: str) -> State:
        """Return how the agreement answers a path; see `Document.state`."""
        return self.document.state(path)
