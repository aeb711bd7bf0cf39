"""Counters: what became of every record a feed brought, kept so that both identities hold at every tick.

    received = accepted + rejected by reason + shed + duplicate        accepted = applied + late + pending

Implements FAULTS §3.6 and DESIGN P5. A report ahead of the clock is a reject with the reason `ahead_of_clock`. Of equal
reports the first is applied and the others are duplicates, which is known when their time is settled: until then they
are pending, and a late one that says what was watched already is late until somebody has looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

AHEAD = "ahead_of_clock"
"""Reason of a report whose time is further ahead of the station's clock than its feed may be."""


class FeedCounts(Struct, kw_only=True):
    """The counters of one feed.

    Attributes
    ----------
    received : int
        Records read.
    rejected : dict of str to int
        By reason.
    shed, duplicate, applied, late, pending : int
    flagged : dict of str to int
        Of the reports, how many were doubtful, by flag.
    """

    received: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    shed: int = 0
    duplicate: int = 0
    applied: int = 0
    late: int = 0
    pending: int = 0
    flagged: dict[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Reports that were taken."""
        return self.applied + self.late + self.pending

    def reject(self, reason: str, count: int = 1) -> None:
        """Count rejects."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    def check(self, name: str) -> None:
        """Stop if a record is unaccounted for; it never is (assertions stay on, FAULTS §1).

        Raises
        ------
        RuntimeError
            If the identity does not hold.
        """
        accounted = self.accepted + sum(self.rejected.values()) + self.shed + self.duplicate
        if self.received != accounted:
            raise RuntimeError(f"feed {name}: received {self.received} records but accounted for {accounted}: {self}")

    def as_json(self) -> dict[str, Any]:
        """Return the counters as a JSON object."""
        return {
            "received": self.received,
            "accepted": self.accepted,
            "rejected": dict(sorted(self.rejected.items())),
            "shed": self.shed,
            "duplicate": self.duplicate,
            "applied": self.applied,
            "late": self.late,
            "pending": self.pending,
            "flagged": dict(sorted(self.flagged.items())),
        }


def total(counts: Iterable[FeedCounts]) -> FeedCounts:
    """Return the sum of several feeds' counters."""
    whole = FeedCounts()
    for one in counts:
        for name in ("received", "shed", "duplicate", "applied", "late", "pending"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        for reason, count in one.rejected.items():
            whole.reject(reason, count)
        for flag, count in one.flagged.items():
            whole.flagged[flag] = whole.flagged.get(flag, 0) + count
    return whole


def counters_json(counters: Mapping[str, Any]) -> dict[str, Any]:
    """Return counters by feed, as a commit holds them, with their sum."""
    whole = total(
        FeedCounts(**{name: value for name, value in feed.items() if name != "accepted"}) for feed in counters.values()
    )
    return {"feeds": dict(counters), "total": whole.as_json()}
