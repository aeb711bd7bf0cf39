"""By source: after how long of silence a track is silent, for each feed of which the agreement says so.

A feed's own time, or the interval at which it is expected to report times how many reports may be missed (docs/format/
agreement.md, rule 24). A feed that is not named, or whose entry is left open, has the threshold's own `after`. Does not
know which feeds there are: the agreement does not say.
"""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.terms.conduct import GapOfFeed
from tocsin.agreement.terms.state import Maybe, given
from tocsin.agreement.watchlist import Conduct


def after_s_of(told: GapOfFeed) -> float | None:
    """Return the time that an entry gives, seconds; None if it is left open."""
    after_s, every_s, missed = given(told.after_s), given(told.every_s), given(told.missed)
    if after_s is not None:
        return after_s
    return None if every_s is None or missed is None else every_s * missed


def by_feed_of(told: Maybe[tuple[GapOfFeed, ...]]) -> tuple[tuple[str, float], ...]:
    """Return the feeds whose entries are complete, by name, and the time of each."""
    complete = ((given(entry.feed), after_s_of(entry)) for entry in given(told) or ())
    return tuple(sorted((feed, after_s) for feed, after_s in complete if feed is not None and after_s is not None))


def conflicts_in(told: Maybe[tuple[GapOfFeed, ...]], event: Conduct) -> Iterator[tuple[str, str]]:
    """Yield where entries say two things, or nothing that can be, and what they say: such an agreement is refused."""
    seen: set[str] = set()
    if event is not Conduct.GAP:
        yield from ((entry.path, f"a time of one feed for {event}") for entry in (given(told) or ())[:1])
    for entry in given(told) or ():
        feed, missed = given(entry.feed), given(entry.missed)
        if feed is not None and feed in seen:
            yield entry.path, f"feed {feed} a second time"
        seen |= {feed} if feed is not None else set()
        if given(entry.after_s) is not None and missed is not None:
            yield entry.path, f"feed {feed} with after and missed"
        elif missed is not None and missed < 1:
            yield f"{entry.path}.missed", f"missed: {missed}"
        elif after_s_of(entry) == 0:
            yield entry.path, f"feed {feed} silent after no time at all"
