"""Health: what can befall the station itself.

Implements FAULTS §3: each is a fact of the record, and a message to whoever keeps the station (`keeping.py`).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Health(StrEnum):
    """What can befall the station itself, and what somebody is told of."""

    STARTED = "started"
    """The station began, for the first time or again; what was in flight before is in doubt."""
    STOPPED = "stopped"
    """The station was told to stop, and does."""
    FAILED = "failed"
    """The station stopped by itself, since it is not known what the disk holds; told at once, recorded by nobody."""
    SILENT = "silent"
    """Nothing came from a feed for longer than it may hold back the others."""
    HEARD_AGAIN = "heard_again"
    """The silent feed speaks again."""
    FEED = "feed"
    """A feed has something to say of itself."""
    FULL = "full"
    """The disk has no space: no reports are taken, open ladders go on out of the reserve."""
    SPACE_AGAIN = "space_again"
    """There is space; reports are taken again."""
    AWAY = "away"
    """The database did not answer for a time, or can lose what was acknowledged."""
    CLOCK = "clock"
    """The wall clock stepped beside the steady one."""
    SLOW = "slow"
    """A channel's attempt may outlast the time that the ladder gives for an answer to it."""
    SHED = "shed"
    """More came on a feed than could be taken; the feed gave records up unread."""
    LATE = "late"
    """Late reports could not be looked at; what they would have changed is not known."""
    UNREADABLE = "unreadable"
    """Something came back by a channel that can be no answer."""
    RECORD = "record"
    """The record could not be published, or can be again."""


TOLD = frozenset(Health) - {Health.STOPPED, Health.UNREADABLE}
"""Kinds that a message goes out for: a stop is known to whoever ordered it, and a stranger may send anything."""


class HealthNote(Struct, frozen=True, kw_only=True):
    """Something that befell the station.

    Attributes
    ----------
    kind : Health
    about : str
        The feed, the folder or the like; empty if the station as a whole.
    detail : str
        A sentence for people.
    """

    kind: Health
    about: str = ""
    detail: str = ""
