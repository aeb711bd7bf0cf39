"""How a feed's bytes are read, as its URL says: the options that all transports of lines share.

`format=` (told line by line if not stated), `zone=` for the times of SBS-1, `speed=` for the unit of OsmAnd, `party=`
for a feed of one party's movers, and the lateness that the format usually has.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import available_timezones

from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.formats.live import LATENESS_S, LiveFormat, LiveReader
from tocsin.tracks.formats.osmand import SPEED_UNITS
from tocsin.tracks.order import FeedPolicy

OPTIONS = ("format", "zone", "speed")
"""What a transport of lines allows besides its own options."""


def policy_of(address: FeedAddress) -> FeedPolicy:
    """Return what is expected of a feed of lines.

    Raises
    ------
    SettingError
        For an option's value that is none.
    """
    return address.policy(LATENESS_S[_format(address)])


def reader_of(address: FeedAddress, feed: str) -> Callable[[], LiveReader]:
    """Return what makes a reader for each connection of a feed.

    Parameters
    ----------
    address : FeedAddress
    feed : str
        The feed's name.

    Raises
    ------
    SettingError
        For an option's value that is none.
    """
    form = _format(address)
    zone = address.word("zone", "", available_timezones()) if "zone" in address.options else None
    speed = address.word("speed", "kn", SPEED_UNITS)
    party = address.options.get("party")

    def reader() -> LiveReader:
        """Return a reader of one connection."""
        return LiveReader(feed=feed, form=form, party=party, zone=zone, speed=speed)

    reader()  # what its format needs is loaded now, and not when somebody connects
    return reader


def _format(address: FeedAddress) -> LiveFormat:
    return LiveFormat(address.word("format", LiveFormat.AUTO, list(LiveFormat)))
