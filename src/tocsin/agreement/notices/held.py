"""Held: a notice as the register keeps it: its flags, where it stands, what is owed for it.

And the fact: what happened to a notice, when, and who is told. Facts are only added to; together they are the history.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from tocsin.agreement.notices.check import Flagged
from tocsin.agreement.notices.notice import Consent, Notice, Verification
from tocsin.agreement.notices.owed import ORDER, Key, Line
from tocsin.agreement.notices.receipts import HERE
from tocsin.agreement.notices.rules import Rule
from tocsin.agreement.notices.standing import Standing
from tocsin.agreement.notices.words import Act, FactKind
from tocsin.canon import canonical_line
from tocsin.clock import US_PER_S
from tocsin.units import format_instant


class Fact(Struct, frozen=True, kw_only=True):
    """One thing that happened to a notice.

    Attributes
    ----------
    kind : FactKind
    at_us : int
    notice : str or None
        The notice's id; None where none could be found.
    party : str
        Whose notice it is, or whose submission.
    tell : tuple of str
        The parties that are told, in order.
    words : str
        One sentence for people.
    detail : dict
        What it says, for programs.
    """

    kind: FactKind
    at_us: int
    notice: str | None
    party: str
    tell: tuple[str, ...] = ()
    words: str
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the fact as a JSON object."""
        return {
            "fact": str(self.kind),
            "at": format_instant(self.at_us),
            "notice": self.notice,
            "party": self.party,
            "tell": list(self.tell),
            "words": self.words,
            **self.detail,
        }

    def as_line(self) -> bytes:
        """Return the fact as one canonical line of `notices.jsonl`."""
        return canonical_line(self.as_json())


class Held(Struct, kw_only=True):
    """A notice in the register.

    Attributes
    ----------
    notice : Notice
    flags : tuple of Flagged
    zones : tuple of str
        Zones of the agreement that its place meets.
    standing : Standing
    since_us : int
        Since when it stands so.
    stood : list of (int, int)
        The times, half-open, in which it stood and no longer does.
    confirmed_us : int
        When it was given, or last confirmed.
    successor, predecessor : str or None
        The notice that replaced it, and the one that it replaced.
    lines : dict of (Receipt, str or None) to Line
        The receipts that are owed for it.
    consents : list of Consent
    verifications : list of Verification
    """

    notice: Notice
    flags: tuple[Flagged, ...]
    zones: tuple[str, ...]
    standing: Standing
    since_us: int
    confirmed_us: int
    successor: str | None = None
    predecessor: str | None = None
    lines: dict[Key, Line]
    consents: list[Consent] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    stood: list[tuple[int, int]] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """True while it is in effect as a notice: neither ended nor expired."""
        return self.standing is Standing.STANDING

    @property
    def checked(self) -> Verification | None:
        """The newest verification of its site, if there is one."""
        return max(self.verifications, key=lambda v: v.at_us, default=None)

    def expires_us(self, rule: Rule | None) -> int | None:
        """Return when it expires unless confirmed; None if its own end comes first or no time is agreed.

        The agreed time is counted from when it was given or last confirmed, or from its start if that is later.
        """
        if rule is None or rule.expires_after_s is None or self.notice.act not in (Act.GIVE, Act.CHANGE):
            return None
        begin = max(self.confirmed_us, self.confirmed_us if self.notice.from_us is None else self.notice.from_us)
        at_us = begin + round(rule.expires_after_s * US_PER_S)
        return at_us if self.notice.to_us is None or at_us < self.notice.to_us else None

    def reached(self) -> dict[str, str | None]:
        """Return how far the notice is known to have got: by unit, its furthest receipt; "" for the first receiver."""
        found: dict[str, str | None] = {"": None}
        for receipt in ORDER:
            for line in (line for line in self.lines.values() if line.receipt is receipt):
                found.setdefault(line.unit or "", None)
                if line.state in HERE:
                    found[line.unit or ""] = str(receipt)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return what is known of the notice as a JSON object."""
        checked = self.checked
        return {
            **self.notice.as_json(),
            "flags": [flagged.as_json() for flagged in self.flags],
            "zones": list(self.zones),
            "standing": str(self.standing),
            "since": format_instant(self.since_us),
            "confirmed": format_instant(self.confirmed_us),
            "successor": self.successor,
            "predecessor": self.predecessor,
            "receipts": [line.as_json() for line in self.lines.values()],
            "consents": [consent.as_json() for consent in self.consents],
            "verification": checked.as_json() if checked else None,
        }
