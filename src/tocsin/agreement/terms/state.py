"""The states of a mechanism: set, declared not set, silent, not applicable, disputed.

They are different things (AGREEMENT §3): a blank that the parties declared is known to both; one that nobody wrote
is known to nobody. `Maybe[T]` is the type of every optional value of the model, and `given` reads it.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TypeVar, Union

from msgspec import Struct

T = TypeVar("T")

NOT_SET = "not_set"
NOT_APPLICABLE = "not_applicable"


class State(StrEnum):
    """How an agreement answers a question."""

    SET = "set"
    NOT_SET = "not_set"
    """Declared: the parties say that they have not agreed this."""
    SILENT = "silent"
    """Nothing stands there; a key without a value says nothing either."""
    NOT_APPLICABLE = "not_applicable"
    """Declared: the question does not arise here."""
    DISPUTED = "disputed"
    """Both readings stand there, each with its source."""
    INCONSISTENT = "inconsistent"
    """Set, and at odds with something else that is set."""


class Blank(Enum):
    """The two declared blanks; silence is None."""

    NOT_SET = NOT_SET
    NOT_APPLICABLE = NOT_APPLICABLE


class Disputed(Struct, frozen=True, kw_only=True):
    """A value of which there is more than one reading; none is taken as true.

    Attributes
    ----------
    readings : tuple of (str, str)
        Who or what says so, and the reading in its own words.
    """

    readings: tuple[tuple[str, str], ...]


_NOT_GIVEN = (Blank, Disputed)

Maybe = Union[T, Blank, Disputed, None]  # noqa: UP007  (a generic alias needs the old spelling before Python 3.12)
"""A value, a declared blank, a dispute, or silence (None)."""


def given(value: T | Blank | Disputed | None) -> T | None:
    """Return the value if it is set, else None.

    Examples
    --------
    >>> given(5.0), given(Blank.NOT_SET), given(None)
    (5.0, None, None)
    """
    return None if isinstance(value, _NOT_GIVEN) else value
