"""Flow: a JSON value as one line of YAML, such as `{state: signed, by: "2031-04-02"}`.

Words stand bare where they read back as themselves (YAML 1.2 §7.3.3), else in double quotes as JSON has them.
"""

from __future__ import annotations

import json
import re

_BARE = re.compile(r"[\w/][\w/.;()+'-]*( [\w/.;()+'-]+)*")
_NUMBER_LIKE = re.compile(r"[-+.0-9_eExXoObB:]+")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON leaves as it is and YAML refuses (§5.1) or takes for a break of the line."""

_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def flow(value: object) -> str:
    """Return a JSON value as YAML in one line, without trailing newline.

    Parameters
    ----------
    value : JSON value
        Mappings, lists, text, finite numbers, true, false or None; mappings in their own order.

    Examples
    --------
    >>> flow({"state": "signed", "on": "2031-04-02", "who": ["a b", "no", "c: d"]})
    '{state: signed, "on": "2031-04-02", who: [a b, "no", "c: d"]}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(member) for member in value) + "]"
    if isinstance(value, str) and is_bare(value):
        return value
    told = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", told)


def is_bare(text: str) -> bool:
    """Return True for text that needs no quotes anywhere in a YAML document."""
    if not _BARE.fullmatch(text) or text.casefold() in _RESERVED:
        return False
    return _NUMBER_LIKE.fullmatch(text) is None
