"""Every error Tocsin raises on purpose, as one tree.

TocsinError
├── AgreementError      the agreement cannot be read or used; carries file, line and path
├── ReportError         one position report cannot be used; carries a reason
├── ClaimError          a file of claims cannot be read; carries file, line and path
├── SettingError        a file of the deployment (channels, answers) cannot be read; carries file, line and path
├── UnitError           a quantity or time without its unit or zone (also a ValueError)
├── LadderError         a state and an input that the ladder's table does not list
├── DeliveryError       one attempt on one channel failed; carries reason and whether to retry
├── RefusedError        the station does not take a delivery now; carries whether for want of space
├── StoreError          the database cannot be used: damaged, unsafe, of a later version, or a write is not durable
│   ├── StoreFullError      there is no space; nothing was written, and the same write may be made again
│   └── StoreAwayError      the database cannot be reached; it is not known whether the last write was made
├── RecordError         the log cannot be read or written
│   └── VerificationError   what was calculated is not what was signed
│       └── SplitViewError  two signed checkpoints that cannot both be true
│           ├── RollbackError   a smaller tree shown after a larger one
│           └── ForkError       somebody signed two histories; carries the evidence
└── VisibilityError     something asked for is not the asker's to see

An error says what was found, what was expected and where, and keeps those facts as attributes.
Misuse by the programmer raises the built-in exceptions and is not in this tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct


class TocsinError(Exception):
    """Base of every error that Tocsin raises on purpose."""


class Place(Struct, frozen=True, order=True):
    """Where something stands in a file.

    Attributes
    ----------
    file : str
        The file's name as the user gave it.
    line, column : int
        From 1; 0 where the format has no lines.
    path : str
        The way to the value inside the document, such as `zones[0].geometry.circle.radius_m`.
    """

    file: str
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at} ({self.path})" if self.path else at


class AgreementError(TocsinError):
    """The agreement cannot be used: what was found, what was expected, and where."""

    def __init__(self, found: str, *, expected: str, place: Place) -> None:
        super().__init__(f"{place}: found {found}, expected {expected}")
        self.found = found
        self.expected = expected
        self.place = place


REFUSALS_TOLD = 50
"""Refusals of one agreement that are printed; the others are counted, and `errors` has them all."""


class AgreementErrors(AgreementError):
    """Several refusals of one agreement, in file order, so that a drafter sees all of them at once."""

    def __init__(self, errors: list[AgreementError]) -> None:
        first = errors[0]
        super().__init__(first.found, expected=first.expected, place=first.place)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        told = [str(e) for e in self.errors[:REFUSALS_TOLD]]
        more = len(self.errors) - len(told)
        return "\n".join([*told, f"and {more:,} more"] if more else told)


class ReportError(TocsinError):
    """A file or message of position reports cannot be read: what, expected what, where."""

    def __init__(self, found: str, *, expected: str, place: Place) -> None:
        super().__init__(f"{place}: found {found}, expected {expected}")
        self.found = found
        self.expected = expected
        self.place = place


class ClaimError(TocsinError):
    """A file of claims cannot be read: what was found, what was expected, and where."""

    def __init__(self, found: str, *, expected: str, place: Place) -> None:
        super().__init__(f"{place}: found {found}, expected {expected}")
        self.found = found
        self.expected = expected
        self.place = place


class SettingError(TocsinError):
    """A file of the deployment cannot be used: what was found, what was expected, and where."""

    def __init__(self, found: str, *, expected: str, place: Place) -> None:
        super().__init__(f"{place}: found {found}, expected {expected}")
        self.found = found
        self.expected = expected
        self.place = place


class UnitError(TocsinError, ValueError):
    """A quantity without its unit, a time without its zone, or a unit that is not known here."""

    def __init__(self, found: object, *, expected: str) -> None:
        super().__init__(f"found {found!r}, expected {expected}")
        self.found = found
        self.expected = expected


class LadderError(TocsinError):
    """The ladder's table lists no transition for this state and input; nothing was changed."""


class DeliveryError(TocsinError):
    """One attempt on one channel failed.

    Attributes
    ----------
    reason : str
        What the channel said.
    retryable : bool
        True if the same attempt may go through later ("failed for now").
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable


class RefusedError(TocsinError):
    """The station does not take a delivery now; nothing of it was kept, and its sender should send it again.

    Attributes
    ----------
    reason : str
        For people, without secrets.
    is_full : bool
        True if there is no space left to keep it; False if too much came at once, or it is stopping.
    """

    def __init__(self, reason: str, *, is_full: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_full = is_full


class StoreError(TocsinError):
    """The database cannot be used; the process must stop and say why, and a new one reads what the disk holds."""


class StoreFullError(StoreError):
    """There is no space for a transaction; nothing of it was written, and it may be made again as it is."""


class StoreAwayError(StoreError):
    """The database does not answer; whether the last transaction was made is known when it does again."""


class RecordError(TocsinError):
    """The log cannot be read or written."""


class VerificationError(RecordError):
    """What was calculated from the record is not what its signature covers.

    Attributes
    ----------
    what : str
        What was compared, in words.
    expected, calculated : str
        The signed value and the one found, as text; each may be empty.
    """

    def __init__(self, what: str, *, expected: str = "", calculated: str = "") -> None:
        parts = [f"expected {expected}"] * bool(expected) + [f"calculated {calculated}"] * bool(calculated)
        super().__init__(f"{what}: {', '.join(parts)}" if parts else what)
        self.what = what
        self.expected = expected
        self.calculated = calculated


class SplitViewError(VerificationError):
    """Two checkpoints, both signed by the log, that cannot both describe one history."""


class RollbackError(SplitViewError):
    """A smaller tree was shown after a larger one: what was signed since then is withheld."""


class ForkError(SplitViewError):
    """Somebody signed two histories.

    Attributes
    ----------
    evidence : tuple
        One piece for each key that signed both, the log's first; see `record/verifier/evidence.py`. Each prints as
        the evidence file.
    """

    def __init__(self, what: str, *, evidence: Sequence[Any], expected: str = "", calculated: str = "") -> None:
        super().__init__(what, expected=expected, calculated=calculated)
        self.evidence = tuple(evidence)


class VisibilityError(TocsinError):
    """The agreement does not let this party see this."""
