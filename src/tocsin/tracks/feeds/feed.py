"""The seam between a live source and the station: what a feed hands over, and when it may call it safe.

A feed reads, decodes and hands over; `deliver` returns when the delivery is durable, and only then does the feed
acknowledge to its source (FAULTS 34, 35). Its position, an opaque text, is kept in the same transaction and handed
back after a restart. A new transport is one file of this folder and one row of `TRANSPORTS`. Order, lateness and
duplicates are `tracks/order.py`'s; a feed only says what it expects of itself (`FeedPolicy`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from importlib import import_module
from typing import Protocol, cast

from msgspec import Struct, field

from tocsin.errors import Place, SettingError
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.feeds.address import FeedAddress, parse_address
from tocsin.tracks.order import FeedPolicy
from tocsin.tracks.quality import Flag, Reject

TRANSPORTS: Mapping[str, str] = {
    "udp": "tocsin.tracks.feeds.udp:UdpFeed",
    "tcp": "tocsin.tracks.feeds.tcp:TcpFeed",
    "tcp-listen": "tocsin.tracks.feeds.tcp:TcpFeed",
    "mqtt": "tocsin.tracks.feeds.mqtt:MqttFeed",
    "mqtts": "tocsin.tracks.feeds.mqtt:MqttFeed",
    "nats": "tocsin.tracks.feeds.nats:NatsFeed",
    "nats+tls": "tocsin.tracks.feeds.nats:NatsFeed",
    "file": "tocsin.tracks.feeds.file:FileFeed",
    "push": "tocsin.tracks.feeds.push:PushFeed",
}
"""By scheme of a feed's URL: the class that opens it, called with the `FeedAddress`."""


class FactKind(StrEnum):
    """What may happen to a feed, besides reports."""

    CONNECTED = "connected"
    LOST = "lost"
    SILENT = "silent"
    MISSED = "missed"
    PARKED = "parked"
    REPLAYED = "replayed"


FACT_MEANING: dict[FactKind, str] = {
    FactKind.CONNECTED: "the source is reached, for the first time or again",
    FactKind.LOST: "the source ended the connection, or cannot be reached",
    FactKind.SILENT: "connected, but nothing came for longer than agreed: taken for dead and connected anew",
    FactKind.MISSED: "the source may have sent what never came here: a gap in its numbers, a wiped stream, a file cut",
    FactKind.PARKED: "a message that could not be made durable was set aside after several tries",
    FactKind.REPLAYED: "old reports come as if they were new: retained by a broker, or a recording played back",
}
"""What each kind says, for people."""


class FeedFact(Struct, frozen=True, kw_only=True):
    """Something that happened to a feed and that somebody should know.

    Attributes
    ----------
    kind : FactKind
    at_us : int
        When the feed noticed, microseconds UTC.
    count : int
        Of messages concerned, where they can be counted; else 0.
    detail : str
    """

    kind: FactKind
    at_us: int
    count: int = 0
    detail: str = ""


class Delivery(Struct, frozen=True, kw_only=True):
    """What a feed hands over at a time; every record it read is once, and only once, in it.

    Attributes
    ----------
    feed : str
        The feed's name.
    batch : ReportBatch
        In order of arrival; may be empty.
    rejects : tuple of Reject
    read : int
        Records: reports, rejects and shed.
    position : str or None
        Where to go on after a restart, for `Feed.run`; None if the source keeps no place.
    shed : int
        Records given up unread, because more came than could be taken.
    flagged : mapping of Flag to int
        Of the reports, how many are doubtful, and how.
    facts : tuple of FeedFact
    """

    feed: str
    batch: ReportBatch
    rejects: tuple[Reject, ...]
    read: int
    position: str | None
    shed: int = 0
    flagged: Mapping[Flag, int] = field(default_factory=dict)
    facts: tuple[FeedFact, ...] = ()

    def __post_init__(self) -> None:
        found = len(self.batch) + len(self.rejects) + self.shed
        if self.read != found:
            raise ValueError(f"{self.feed}: read {self.read} records but accounted for {found}")


Deliver = Callable[[Delivery], Awaitable[None]]
"""Returns when the delivery is durable; raises `RefusedError` if the station does not take it now."""


class Feed(Protocol):
    """A live source.

    Attributes
    ----------
    name : str
        Unique in a station; the `feed` of its reports, and the key of its position.
    policy : FeedPolicy
    """

    @property
    def name(self) -> str:
        """The feed's name."""

    @property
    def policy(self) -> FeedPolicy:
        """What is expected of it."""

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Read until cancelled, handing over what comes.

        Parameters
        ----------
        deliver : callable
            Called with one delivery at a time.
        resume : str or None
            The position of the last durable delivery; None for the first run.
        """


def open_feed(url: str) -> Feed:
    """Return the feed that a URL names; nothing is connected before it runs.

    Parameters
    ----------
    url : str
        Such as `udp://127.0.0.1:10110?format=ais&lateness=60s`; docs/guide/feeds.md lists schemes and options.

    Raises
    ------
    SettingError
        For an unknown scheme or option, or a value that is none.
    """
    address = parse_address(url)
    where = TRANSPORTS.get(address.scheme)
    if where is None:
        raise SettingError(
            f"the scheme {address.scheme!r}", expected=f"one of {', '.join(TRANSPORTS)}", place=Place(address.shown)
        )
    module, _, name = where.partition(":")
    try:
        opener = cast(Callable[[FeedAddress], Feed], getattr(import_module(module), name))
    except ModuleNotFoundError as error:
        raise SettingError(
            f"no package {error.name}", expected="pip install 'tocsin[feeds]'", place=Place(address.shown)
        ) from error
    return opener(address)
