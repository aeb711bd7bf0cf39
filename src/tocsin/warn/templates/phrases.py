"""What a language must be able to say; the one list of fields that every file beside it fills.

In braces stand what is put in: `{zone}`, `{channel}`, `{code}` (the first digits of the case id), `{whom}`,
`{channels}`, `{id}`, `{version}`, `{level}`, `{url}`, `{station}`, `{notice}`, `{unit}`, `{due}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tocsin.agreement.notices.words import Receipt
from tocsin.warn.states import Purpose
from tocsin.watch.event import EventKind


class Phrases(Struct, frozen=True, kw_only=True):
    """The fixed words of one language.

    Attributes
    ----------
    language : str
        Primary tag of BCP 47, such as `ar`.
    right_to_left : bool
    heads : mapping of Purpose to str
        First word of the subject.
    plain : mapping of Purpose to str
        The sentence used where the agreement sets no words.
    withheld : str
        Said in place of words that went beyond warning.
    what : mapping of EventKind to str
    labels : mapping of str to str
        Of the facts: what, who, when, where, agreement, case, last_seen, and each measure that is told.
    agreement, case : str
        The values of those two facts.
    within : str
        Before an accuracy.
    compass : tuple of str
        Letters of north, south, east and west.
    no_answer_needed, answer_on, answer_on_other, no_answer, you, either, mover : str
        How to answer.
    pass_on : str
        Said to who is asked to pass the words on to `{whom}`.
    link : str
        How to answer by the page of the station.
    overdue : str
        Subject of a message about the notice `{notice}`.
    owed : mapping of Receipt to str
        Which receipt of the notice nobody gave by `{due}`; of passing on and of reading, by whom: `{unit}`.
    this_is, said_again, digits, decimal : str, str, tuple of str, str
        For a radio operator: our own name, before each further saying, 0 to 9 as words, the decimal point.
    """

    language: str
    right_to_left: bool
    heads: Mapping[Purpose, str]
    plain: Mapping[Purpose, str]
    withheld: str
    what: Mapping[EventKind, str]
    labels: Mapping[str, str]
    agreement: str
    case: str
    within: str
    compass: tuple[str, str, str, str]
    no_answer_needed: str
    answer_on: str
    answer_on_other: str
    no_answer: str
    you: str
    either: str
    mover: str
    pass_on: str
    link: str
    overdue: str
    owed: Mapping[Receipt, str]
    this_is: str
    said_again: str
    digits: tuple[str, ...]
    decimal: str
