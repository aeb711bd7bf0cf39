"""The door: one JSON-like object into one record, or a sentence that says why not.

What may stand in an object is `objects.py`, which is loaded with the first of them: the models cost a tenth of a
station's start.
"""

from __future__ import annotations

from enum import StrEnum

from tocsin.agreement.notices.notice import Item


class Sort(StrEnum):
    """What an object may be, by the list or key it stands under."""

    NOTICE = "notice"
    RECEIPT = "receipt"
    CONSENT = "consent"
    VERIFICATION = "verification"


def item(value: object, *, source: str, sort: Sort = Sort.NOTICE) -> Item:
    """Return the record that an object stands for.

    Parameters
    ----------
    value : JSON value
    source : str
        Where it was read, `file:line`.
    sort : Sort
        What it is meant to be.

    Raises
    ------
    ValueError
        What was found, what was expected, and under which key; several refusals in one sentence.
    """
    from tocsin.agreement.notices.formats.objects import read_object

    return read_object(value, source=source, sort=sort)
