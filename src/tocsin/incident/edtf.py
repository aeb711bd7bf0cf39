"""EDTF: dates and times as far as a source gives them, checked for form.

Reads ISO 8601-2:2019 level 0 and the parts of level 1 that reports need: year, year-month, day, instant with its
offset; `~` (about), `?` (uncertain) and `%` (both); intervals with an open (`..`) or unknown (empty) end. It checks the
calendar and resolves nothing: a weekday without a date stays words.
"""

from __future__ import annotations

import re
from datetime import datetime

_DAY = r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?)?)?"
_POINT = re.compile(rf"({_DAY})[~?%]?")
_FILL = "0000-01-01T00:00"


def is_edtf(text: str) -> bool:
    """Return True if a text is a date, instant or interval of the subset above.

    Examples
    --------
    >>> [is_edtf(t) for t in ("2017-05-18", "2017-05~", "2017-05-18T14:02Z/..", "2017-02-30", "Thursday")]
    [True, True, True, False, False]
    """
    ends = text.split("/")
    if len(ends) == 2:
        return ends != ["", ""] and all(end in ("", "..") or _is_point(end) for end in ends)
    return len(ends) == 1 and _is_point(text)


def _is_point(text: str) -> bool:
    match = _POINT.fullmatch(text)
    if match is None:
        return False
    bare = match[1]
    filled = bare + _FILL[len(bare) :] if len(bare) < len(_FILL) else bare
    try:
        datetime.fromisoformat(filled)
    except ValueError:
        return False
    return True
