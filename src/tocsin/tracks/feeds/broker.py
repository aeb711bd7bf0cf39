"""What feeds from a broker share: credentials, and messages handed over one batch at a time, then acknowledged.

Acknowledged to the broker after our own commit, never before (FAULTS 34, 35). What the station refuses for now is tried
again until it is taken. A message that fails in any other way is tried alone, some times, and then parked: counted,
kept as a reject with its reason, said, and acknowledged, so that the stream goes on (FAULTS 36).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import stat
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct

from tocsin.clock import now_us
from tocsin.errors import RefusedError, SettingError
from tocsin.tracks.batch import EMPTY, concat
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.feed import Deliver, Delivery, FactKind, FeedFact
from tocsin.tracks.feeds.pace import MOST_RETRY_S, Pace
from tocsin.tracks.formats.live import LiveReader
from tocsin.tracks.quality import Flag, Reject, RejectReason, clip

log = logging.getLogger(__name__)

TRIES = 5
"""Times that one message is handed over before it is parked, unless the URL says otherwise."""

TLS_SCHEMES = frozenset({"mqtts", "nats+tls"})

MAX_CREDENTIAL_BYTES = 10_000


class Arrived(Struct, frozen=True, kw_only=True):
    """One message of a broker.

    Attributes
    ----------
    data : bytes
    at_us : int or None
        When the broker took it; None if that is not known, as of a retained one.
    label : str
        Its topic or number, for people.
    acknowledge : callable
        Tells the broker that it is safe.
    position : callable
        Tells where the source is after it.
    is_retained : bool
    tries : int
        Times that it was handed over before.
    """

    data: bytes
    at_us: int | None
    label: str
    acknowledge: Callable[[], Awaitable[None]]
    position: Callable[[], str]
    is_retained: bool = False
    tries: int = 0


class Handover:
    """Hands over messages, and acknowledges them once they are durable.

    Parameters
    ----------
    feed : str
    reader : LiveReader
    deliver : callable
    tries : int
    """

    def __init__(self, *, feed: str, reader: LiveReader, deliver: Deliver, tries: int) -> None:
        self._feed = feed
        self._reader = reader
        self._deliver = deliver
        self._tries = tries
        self._facts: list[FeedFact] = []

    def note(self, kind: FactKind, detail: str, *, count: int = 0) -> None:
        """Hand over a fact with the next delivery.

        Parameters
        ----------
        kind : FactKind
        detail : str
        count : int
        """
        self._facts.append(FeedFact(kind=kind, at_us=now_us(), count=count, detail=detail))

    async def say(self, position: str | None) -> None:
        """Hand over the facts that wait, without messages."""
        if self._facts:
            await self._until_taken(self._delivery([], position))

    async def settle(self, messages: Sequence[Arrived]) -> None:
        """Hand over some messages in their order; acknowledge them.

        Parameters
        ----------
        messages : sequence of Arrived
            At least one.
        """
        try:
            await self._until_taken(self._delivery(messages, messages[-1].position()))
        except Exception:
            log.exception("feed.batch_failed", extra={"feed": self._feed, "messages": len(messages)})
            for message in messages:
                await self._alone(message)
        for message in messages:
            await message.acknowledge()

    async def _alone(self, message: Arrived) -> None:
        pace = Pace(least_s=0.05, most_s=5.0)
        reason = ""
        for _ in range(max(1, self._tries - message.tries)):
            try:
                await self._until_taken(self._delivery([message], message.position()))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                await asyncio.sleep(pace.next_s())
            else:
                return
        detail = f"{message.label}: set aside after {self._tries} tries ({reason})"
        parked = Reject(file=self._feed, line=0, reason=RejectReason.PARKED, raw=clip(message.data), detail=detail)
        fact = FeedFact(kind=FactKind.PARKED, at_us=now_us(), count=1, detail=detail)
        await self._until_taken(
            Delivery(
                feed=self._feed, batch=EMPTY, rejects=(parked,), read=1, position=message.position(), facts=(fact,)
            )
        )

    async def _until_taken(self, delivery: Delivery) -> None:
        pace = Pace(least_s=0.05, most_s=2.0)
        while True:
            try:
                await self._deliver(delivery)
            except RefusedError:
                await asyncio.sleep(pace.next_s())
            else:
                self._facts = self._facts[len(delivery.facts) :]
                return

    def _delivery(self, messages: Sequence[Arrived], position: str | None) -> Delivery:
        kept = [m for m in messages if m.is_retained]
        for message in kept:
            self._reader.push_message(message.data, None)
        old = self._reader.take()
        for message in messages:
            if not message.is_retained:
                self._reader.push_message(message.data, message.at_us)
        new = self._reader.take()
        flagged = {flag: old.flagged.get(flag, 0) + new.flagged.get(flag, 0) for flag in {**old.flagged, **new.flagged}}
        if len(old.batch):
            flagged[Flag.RETAINED] = len(old.batch)
        return Delivery(
            feed=self._feed,
            batch=concat([old.batch, new.batch]),
            rejects=(*old.rejects, *new.rejects),
            read=old.read + new.read,
            position=position,
            flagged=flagged,
            facts=tuple(self._facts),
        )


class Session(Protocol):
    """One connection to a broker, from its beginning to its end."""

    is_connected: bool

    @property
    def position(self) -> str | None:
        """Where the source is now."""

    async def go(self) -> None:
        """Connect, hand over until the connection ends, and raise why it did."""


_Kept = TypeVar("_Kept", bound=Session)


async def keep_connected(
    following: Callable[[_Kept | None], _Kept], over: Handover, *, retry_s: float, ends: tuple[type[Exception], ...]
) -> None:
    """Connect again and again, until cancelled; a broker that stays away is said once, not at every try.

    Parameters
    ----------
    following : callable
        Makes a session out of the one before it, or out of None.
    over : Handover
    retry_s : float
        The least wait between two sessions; it doubles up to `MOST_RETRY_S` while none connects.
    ends : tuple of exception types
        How a session may end; anything else is a fault of ours.
    """
    pace = Pace(least_s=retry_s, most_s=MOST_RETRY_S)
    session: _Kept | None = None
    failed = ""
    while True:
        session = following(session)
        try:
            await session.go()
        except ends as error:
            reason = str(error) or type(error).__name__
            if session.is_connected:
                pace.reset()
            if session.is_connected or reason != failed:
                over.note(FactKind.LOST, reason)
                failed = reason
            await over.say(session.position)
        await asyncio.sleep(pace.next_s())


def read_credentials(address: FeedAddress) -> tuple[str, str] | None:
    """Return the user and password of the file that `credentials=` names: one line, `user:password`.

    Raises
    ------
    SettingError
        For a file that others may read, that is none, or whose secret would cross a network in the clear.
    """
    name = address.options.get("credentials")
    if name is None:
        return None
    if address.scheme not in TLS_SCHEMES:
        try:
            is_near = address.host == "localhost" or ip_address(address.host).is_loopback
        except ValueError:
            is_near = False
        if not is_near:
            raise SettingError("credentials without TLS", expected="mqtts:// or nats+tls://", place=address.place)
    try:
        mode = Path(name).stat().st_mode
        text = Path(name).read_text("utf-8")[:MAX_CREDENTIAL_BYTES].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError("no readable file", expected="credentials=FILE", place=address.place) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        found = f"mode {mode & 0o777:04o} of the file of credentials"
        raise SettingError(found, expected="0600: only its owner reads it", place=address.place)
    user, colon, password = text.partition(":")
    if not colon or "\n" in text:
        raise SettingError("another text", expected="one line user:password in the file", place=address.place)
    return user, password


def tls_context(address: FeedAddress) -> ssl.SSLContext | None:
    """Return how TLS is spoken with the broker, or None where the URL is for plain TCP.

    Raises
    ------
    SettingError
        For authorities that cannot be read, or that a plain URL names.
    """
    authorities = address.options.get("ca")
    if address.scheme not in TLS_SCHEMES:
        if authorities is not None:
            raise SettingError("ca= without TLS", expected="mqtts:// or nats+tls://", place=address.place)
        return None
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise SettingError("no readable PEM file", expected="ca=FILE", place=address.place) from error
