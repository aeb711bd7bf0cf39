"""When to ask which witness for a cosignature: the decisions of the keeper's side, as pure functions.

A round is one checkpoint, put before every witness of the policy; the next begins once this one has its quorum, has
all its answers, or is ten seconds old. Were each witness asked for whatever is newest when it is free, two slow ones
could sign alternate checkpoints for ever, and no tree would have both. A witness that fails is asked again after 1, 2,
4, up to 60 s. Nothing here sends anything: `cosigning.py` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.record.witness.client import Outcome, Reply

ROUND_US = 10 * US_PER_S
"""Age at which a round gives way to a newer checkpoint, whoever has not answered; 10 s."""

RETRY_MAX_S = 60
"""Longest wait before a witness that failed is asked again."""


class Standing(Struct, frozen=True, kw_only=True):
    """What is known of one witness.

    Attributes
    ----------
    size : int
        Of the largest tree it cosigned, as far as the keeper knows.
    cosigned_us : int or None
        When its newest cosignature came in, microseconds UTC.
    failures : int
        Since then, in a row.
    next_try_us : int
        Not before this is it asked again.
    outcome, detail : str
        Of the last time it was asked; empty before the first.
    """

    size: int = 0
    cosigned_us: int | None = None
    failures: int = 0
    next_try_us: int = 0
    outcome: str = ""
    detail: str = ""

    def after(self, reply: Reply, now_us: int) -> Standing:
        """Return the standing once a reply is in."""
        size = self.size if reply.known_size is None else reply.known_size
        if reply.outcome is Outcome.COSIGNED:
            went = f"it had cosigned {reply.went_back_from:,} entries and forgot" if reply.went_back_from else ""
            return Standing(size=size, cosigned_us=now_us, outcome=reply.outcome, detail=went)
        wait_s = min(RETRY_MAX_S, 1 << min(self.failures, 10))
        return replace(
            self,
            size=size,
            failures=self.failures + 1,
            next_try_us=now_us + wait_s * US_PER_S,
            outcome=reply.outcome,
            detail=reply.detail,
        )

    def may_be_asked(self, now_us: int) -> bool:
        """Return True if its wait is over; a clock that stepped back does not prolong the wait."""
        return now_us >= self.next_try_us or self.next_try_us > now_us + RETRY_MAX_S * US_PER_S

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "size": self.size,
            "cosigned_us": self.cosigned_us,
            "failures": self.failures,
            "next_try_us": self.next_try_us,
            "outcome": self.outcome,
            "detail": self.detail,
        }


class Round(Struct, frozen=True, kw_only=True):
    """One checkpoint on its way round the witnesses.

    Attributes
    ----------
    size : int
        Entries of its tree.
    began_us : int
    cosigned, answered : frozenset of str
        Names of the witnesses that cosigned it, and that answered anything.
    is_met : bool
        True once the policy's quorum stands behind it.
    """

    size: int
    began_us: int
    cosigned: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    is_met: bool = False

    def after(self, reply: Reply, *, is_met: bool) -> Round:
        """Return the round once a reply to it is in."""
        by = {reply.witness} if reply.outcome is Outcome.COSIGNED else set()
        return replace(
            self, cosigned=self.cosigned | by, answered=self.answered | {reply.witness}, is_met=self.is_met or is_met
        )

    def is_over(self, newest: int, witnesses: Collection[str], now_us: int) -> bool:
        """Return True if a newer checkpoint should take its place."""
        is_done = self.is_met or self.answered >= set(witnesses)
        return newest > self.size and (is_done or not 0 <= now_us - self.began_us < ROUND_US)

    def to_ask(self, standings: Mapping[str, Standing], busy: Collection[str], now_us: int) -> list[str]:
        """Return the witnesses that should be asked for this checkpoint now."""
        return [
            name
            for name, standing in standings.items()
            if name not in self.cosigned and name not in busy and standing.may_be_asked(now_us)
        ]
