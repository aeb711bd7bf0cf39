"""A reply that a machine or a person sends back by a token: one JSON object, by MQTT, NATS or the answer page.

`{"token", "who", "what", "text"}`: who answers by name, and what in the words of `AnswerKind`. The party, message and
channel are the token's; a reply cannot speak for another. One token gives one answer: its `key` is the message, so that
the desk answers the same again the same, and refuses another. It never raises for what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tocsin.canon import canonical_bytes, parse_json
from tocsin.errors import Place
from tocsin.warn.answers.token import Good, answer_digest, check_token
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.message import neutral
from tocsin.warn.states import AnswerKind

REPLY_LIMIT = 65_536
"""Bytes of a reply that are still read."""
WHO_LIMIT = 200
TEXT_LIMIT = 20_000
_KEYS = frozenset({"token", "who", "what", "text"})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}")


def read_reply(
    raw: bytes, *, key: bytes, now_us: int, channel: str | None, source: str, spent: Mapping[str, str] | None = None
) -> Answer | Rejected:
    """Return the answer that a reply gives, or why it gives none; a token that does not fit is an answer refused.

    Parameters
    ----------
    raw : bytes
        JSON.
    key : bytes
        The station's secret.
    now_us : int
        When it was heard, microseconds UTC.
    channel : str or None
        By which channel it came back; None where the way does not tell.
    source : str
        Where it was read, such as a topic.
    spent : mapping of str to str or None
        By message id, the digest of the answer that used its token before.
    """
    if len(raw) > REPLY_LIMIT:
        return _rejected(source, f"{len(raw):,} bytes, expected at most {REPLY_LIMIT:,}", "")
    try:
        found = parse_json(raw)
        canonical_bytes(found)
    except ValueError as error:
        return _rejected(source, f"no JSON: {error}", raw.decode("utf-8", errors="replace"))
    if not isinstance(found, dict) or not {"token", "who", "what"} <= found.keys() <= _KEYS:
        return _rejected(source, f"expected an object with {', '.join(sorted(_KEYS))}", str(found))
    return answer_of(found, key=key, now_us=now_us, channel=channel, source=source, spent=spent)


def answer_of(
    found: Mapping[str, Any],
    *,
    key: bytes,
    now_us: int,
    channel: str | None,
    source: str,
    spent: Mapping[str, str] | None = None,
) -> Answer | Rejected:
    """Return the answer that the fields of a reply or a form give; see `read_reply`."""
    token, who, what, text = (found.get(name, "") for name in ("token", "who", "what", "text"))
    told = f"{what} by {who}: {text}"
    if not all(isinstance(value, str) for value in (token, who, what, text)):
        return _rejected(source, "expected text in token, who, what and text", told)
    if not neutral(who) or len(who) > WHO_LIMIT or len(text) > TEXT_LIMIT:
        return _rejected(source, f"expected a name of 1 to {WHO_LIMIT} characters, words of {TEXT_LIMIT:,}", told)
    if what not in list(AnswerKind):
        return _rejected(source, f"what: found {neutral(what, limit=40)!r}, expected {', '.join(AnswerKind)}", told)
    digest = answer_digest(who, what, text)
    refused = ""
    judged = check_token(token, key, now_us, channel=channel)
    if isinstance(judged, Good) and spent is not None and judged.bound.message_id in spent:
        judged = check_token(token, key, now_us, answer=digest, spent=spent[judged.bound.message_id])
    if not isinstance(judged, Good):
        refused = f"token {judged.why}"
    bound = judged.bound
    return Answer(
        at_us=now_us,
        who=who,
        party=bound.party if bound else "",
        kind=AnswerKind(what),
        case_id=bound.case_id if bound else None,
        message_id=bound.message_id if bound else None,
        channel=bound.channel if bound else channel,
        text=_TOKEN.sub("(token)", text),
        source=source,
        key=f"token/{bound.message_id}" if bound else "",
        refused=refused,
    )


def _rejected(source: str, reason: str, text: str) -> Rejected:
    shown = neutral(_TOKEN.sub("(token)", text), limit=500)  # what is kept must not be enough to answer with
    return Rejected(place=Place(source), reason=reason, text=shown)
