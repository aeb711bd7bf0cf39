"""What enters a tick of the station, and how it is kept: everything that is not worked out from something else.

A tick is a pure function of the state before it, its inputs and its time, so inputs that are kept whole are all that a
restart needs (DESIGN P4). Reports are packed (`tracks/packed.py`), the rest is one MessagePack map; both are the
store's bytes and no format for others. A clock, a socket or a salt is not in here: their effects are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from tocsin.agreement.notices.notice import Item
from tocsin.agreement.notices.submit import item_of
from tocsin.canon import canonical_bytes, parse_json
from tocsin.record.leaf import Entry, EntryKind
from tocsin.station.core.health import HealthNote
from tocsin.station.core.terms import AgreementText
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.feeds.feed import Delivery, FeedFact
from tocsin.tracks.order import FeedPolicy
from tocsin.tracks.packed import load_batch
from tocsin.tracks.quality import Flag, Reject
from tocsin.units import parse_instant_us
from tocsin.warn.inputs import Answer, Muting, Reported
from tocsin.watch.event import Event

FORMAT = 1
"""First field of the map; a later one is refused."""


class Delivered(Struct, frozen=True, kw_only=True):
    """A `Delivery` without its reports, which stand in the tick's batch under the feed's name.

    Attributes
    ----------
    feed : str
    report_count : int
    rejects : tuple of Reject
    read : int
    shed : int
        By the feed and by the station.
    position : str or None
    flagged : mapping of Flag to int
    facts : tuple of FeedFact
    """

    feed: str
    report_count: int
    rejects: tuple[Reject, ...]
    read: int
    shed: int
    position: str | None
    flagged: Mapping[Flag, int] = field(default_factory=dict)
    facts: tuple[FeedFact, ...] = ()


class Corrected(Struct, frozen=True, kw_only=True):
    """What reports that came too late turned out to change.

    Attributes
    ----------
    looked_at : int
        Late reports looked at, the ones that waited longest.
    duplicate : mapping of str to int
        By feed, how many of them said what had been watched already.
    events : tuple of Event
        Final; opened, amended or withdrawn.
    since_us : mapping of str to int
        By track that was looked at, since when what was told of it was in doubt.
    """

    looked_at: int
    duplicate: Mapping[str, int]
    events: tuple[Event, ...]
    since_us: Mapping[str, int] = field(default_factory=dict)


class Saying(Struct, frozen=True, kw_only=True):
    """A notice, receipt, consent or verification as it was taken at the door.

    Attributes
    ----------
    line : bytes
        Canonical JSON (`submit.Given.as_json`).
    """

    line: bytes

    def item(self) -> Item:
        """Return what it says.

        Raises
        ------
        ValueError
            If the line is none.
        """
        kept = parse_json(self.line)
        return item_of(kept, source="submitted", entered_us=parse_instant_us(kept["entered"]))


class Kept(Struct, frozen=True, kw_only=True):
    """An entry that the record's keeper has made: a new key, or the handing over of entries.

    Attributes
    ----------
    kind : EntryKind
        KEY or DISCLOSURE.
    audience : tuple of str
        In order.
    payload : bytes
        Canonical JSON.
    """

    kind: EntryKind
    audience: tuple[str, ...]
    payload: bytes

    @classmethod
    def of(cls, entry: Entry) -> Kept:
        """Return an entry as an input."""
        return cls(kind=entry.kind, audience=tuple(sorted(entry.audience)), payload=canonical_bytes(entry.payload))

    def entry(self, at_us: int) -> Entry:
        """Return the entry, at a time."""
        return Entry(kind=self.kind, at_us=at_us, audience=frozenset(self.audience), payload=parse_json(self.payload))


class Inputs(Struct, frozen=True, kw_only=True):
    """Everything that one tick takes.

    Attributes
    ----------
    batch : ReportBatch
        The reports of all deliveries, delivery by delivery.
    delivered : tuple of Delivered
    answers : tuple of Answer
    mutes : tuple of Muting
    outcomes : tuple of Reported
    notes : tuple of HealthNote
    corrected : tuple of Corrected
    sayings : tuple of Saying
        About notices.
    kept : tuple of Kept
    agreement : AgreementText or None
        A version that comes into force with this tick.
    started : mapping of str to FeedPolicy, or None
        The feeds that run from now on, if the station begins with this tick.
    log_key : str
        The vkey of the record's log, if the station begins with this tick; taken by one that knows none.
    """

    batch: ReportBatch = field(default_factory=lambda: EMPTY)
    delivered: tuple[Delivered, ...] = ()
    answers: tuple[Answer, ...] = ()
    mutes: tuple[Muting, ...] = ()
    outcomes: tuple[Reported, ...] = ()
    notes: tuple[HealthNote, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    sayings: tuple[Saying, ...] = ()
    kept: tuple[Kept, ...] = ()
    agreement: AgreementText | None = None
    started: Mapping[str, FeedPolicy] | None = None
    log_key: str = ""

    @property
    def is_empty(self) -> bool:
        """True if nothing came but time."""
        parts = (
            self.delivered,
            self.answers,
            self.mutes,
            self.outcomes,
            self.notes,
            self.corrected,
            self.sayings,
            self.kept,
        )
        return not any(parts) and self.agreement is None and self.started is None


class _Kept(Struct, frozen=True, kw_only=True):
    """The map as it is kept."""

    format: int
    delivered: tuple[Delivered, ...]
    answers: tuple[Answer, ...]
    outcomes: tuple[Reported, ...]
    notes: tuple[HealthNote, ...]
    corrected: tuple[Corrected, ...]
    agreement: AgreementText | None
    started: Mapping[str, FeedPolicy] | None
    log_key: str
    mutes: tuple[Muting, ...] = ()
    sayings: tuple[Saying, ...] = ()
    kept: tuple[Kept, ...] = ()


_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_DECODER = msgspec.msgpack.Decoder(_Kept)


def of_deliveries(deliveries: Sequence[Delivery]) -> tuple[ReportBatch, tuple[Delivered, ...]]:
    """Return the reports of deliveries as one batch, each under its feed's own name, and the rest of them."""
    batch = concat([delivery.batch for delivery in deliveries]) if deliveries else EMPTY
    rest = tuple(
        Delivered(
            feed=delivery.feed,
            report_count=len(delivery.batch),
            rejects=delivery.rejects,
            read=delivery.read,
            shed=delivery.shed,
            position=delivery.position,
            flagged=dict(delivery.flagged),
            facts=delivery.facts,
        )
        for delivery in deliveries
    )
    return batch, rest


def dump_rest(inputs: Inputs) -> bytes:
    """Return all of a tick's inputs but the reports, as MessagePack."""
    return _ENCODER.encode(
        _Kept(
            format=FORMAT,
            delivered=inputs.delivered,
            answers=inputs.answers,
            mutes=inputs.mutes,
            outcomes=inputs.outcomes,
            notes=inputs.notes,
            corrected=inputs.corrected,
            sayings=inputs.sayings,
            kept=inputs.kept,
            agreement=inputs.agreement,
            started=inputs.started,
            log_key=inputs.log_key,
        )
    )


def load_inputs(rest: bytes, reports: bytes | None) -> Inputs:
    """Return a tick's inputs from what the store holds.

    Raises
    ------
    ValueError
        If the bytes are not such inputs, or of a later format.
    """
    try:
        kept = _DECODER.decode(rest)
    except msgspec.DecodeError as error:
        raise ValueError(f"found no inputs of a tick: {error}") from error
    if kept.format != FORMAT:
        raise ValueError(f"found inputs of format {kept.format}, expected {FORMAT}")
    return Inputs(
        batch=load_batch(reports) if reports else EMPTY,
        delivered=kept.delivered,
        answers=kept.answers,
        mutes=kept.mutes,
        outcomes=kept.outcomes,
        notes=kept.notes,
        corrected=kept.corrected,
        sayings=kept.sayings,
        kept=kept.kept,
        agreement=kept.agreement,
        started=kept.started,
        log_key=kept.log_key,
    )
