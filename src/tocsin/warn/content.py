"""The facts of a message in a form that machines can carry: what the words say, and which messages came before it.

A message's words are for people; CAP, Cursor-on-Target, AIS and a radio operator's sheet need the place, the time and
the agreed words apart. They are set when the message is decided and stay the same at every attempt. Nothing here is in
the record: the case, which is, holds all of it.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.watch.event import EventKind


class Earlier(Struct, frozen=True, kw_only=True):
    """A message of the same case to the same recipient on the same channel, decided before.

    Attributes
    ----------
    message_id : str
    queued_us : int
    """

    message_id: str
    queued_us: int


class Version(Struct, frozen=True, kw_only=True):
    """What a message tells in one language.

    Attributes
    ----------
    language : str
    subject : str
    facts : tuple of str
        One fact a line.
    answer : str
        How to answer.
    """

    language: str
    subject: str
    facts: tuple[str, ...]
    answer: str


class Facts(Struct, frozen=True, kw_only=True):
    """What a message tells of.

    Attributes
    ----------
    agreement_id : str
    agreement_version : int
    track_id : str
    category : str or None
    kind : EventKind or None
        None, with the four below, where the message tells of no event.
    zone_id : str or None
    at_us : int or None
    lat_deg, lon_deg : float or None
    accuracy_m : float or None
        None where no report gave one.
    said : tuple of (str, str)
        The agreed words as sent: language, text; empty where the agreement sets none or they were withheld.
    preface : str or None
        The line that stands before everything, such as that this is a replay.
    versions : tuple of Version
        One a language, in order; at least one.
    earlier : tuple of Earlier
        Oldest first.
    """

    agreement_id: str
    agreement_version: int
    track_id: str
    category: str | None = None
    kind: EventKind | None = None
    zone_id: str | None = None
    at_us: int | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    accuracy_m: float | None = None
    said: tuple[tuple[str, str], ...] = ()
    preface: str | None = None
    versions: tuple[Version, ...] = ()
    earlier: tuple[Earlier, ...] = ()
