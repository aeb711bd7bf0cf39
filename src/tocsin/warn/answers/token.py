"""Tokens of answer pages and reply topics: bound to one message, one party, one channel, one time; HMAC-SHA256.

A token says who may answer what, not that anybody did: opening a link is nothing, only a POST that carries the token
is an answer (FAULTS 49, 50). It names no person and holds no secret but its own MAC. Whoever can read the message can
answer it, so a token stands in a message to its recipient alone, and never in the record.
"""

from __future__ import annotations

import base64
import hmac
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

from tocsin.canon import canonical_bytes, parse_json
from tocsin.clock import US_PER_S
from tocsin.warn.telling import Message

TOKEN_LIMIT = 2_048
"""Characters of a token that are still read."""
KEY_BYTES = 32
LIFETIME_S = 86_400.0
"""Seconds that a token lives if the deployment sets nothing. Origin: far past any ladder's deadline, so that a late
answer is still kept as late, and short enough that a mailbox found years later answers nothing."""

_DOMAIN = b"tocsin answer token 1\x00"
_RECEIPT_DOMAIN = b"tocsin receipt code 1\x00"
_RECEIPT_BYTES = 16


class TokenRefusal(StrEnum):
    """Why a token was refused. Each is kept as an attempt; none of them touches the ladder."""

    MALFORMED = "malformed"
    """No token of ours by its shape."""
    FORGED = "forged"
    """Guessed, changed, or made with another key."""
    EXPIRED = "expired"
    OTHER_MESSAGE = "other_message"
    """About another message than the one answered."""
    OTHER_PARTY = "other_party"
    """Given to another party."""
    OTHER_CHANNEL = "other_channel"
    """Came back by another channel than it went out by."""
    REPLAYED = "replayed"
    """Used before, with another answer."""


class Bound(Struct, frozen=True, kw_only=True):
    """What a token is bound to.

    Attributes
    ----------
    case_id, message_id, party, channel : str
    expires_us : int
        A whole second.
    """

    case_id: str
    message_id: str
    party: str
    channel: str
    expires_us: int

    @classmethod
    def to(cls, message: Message, *, lifetime_s: float = LIFETIME_S) -> Bound:
        """Return what the token of a message is bound to; the same at every attempt."""
        expires_s = message.queued_us // US_PER_S + round(lifetime_s)
        return cls(
            case_id=message.case_id,
            message_id=message.message_id,
            party=message.recipient,
            channel=message.channel,
            expires_us=expires_s * US_PER_S,
        )


class Good(Struct, frozen=True, kw_only=True):
    """A token that may answer.

    Attributes
    ----------
    bound : Bound
    is_same_again : bool
        True if the same answer came by it before: nothing is to be done but to say the same again.
    """

    bound: Bound
    is_same_again: bool = False


class Refused(Struct, frozen=True, kw_only=True):
    """A token that may not answer.

    Attributes
    ----------
    why : TokenRefusal
    bound : Bound or None
        What it is bound to, where its MAC was good.
    """

    why: TokenRefusal
    bound: Bound | None = None


def make_token(key: bytes, bound: Bound) -> str:
    """Return the token: URL-safe characters only.

    Parameters
    ----------
    key : bytes
        At least `KEY_BYTES` of the station's own secret.
    bound : Bound

    Raises
    ------
    ValueError
        If the key is too short.

    Examples
    --------
    >>> bound = Bound(case_id="c", message_id="m", party="operator", channel="mail", expires_us=60_000_000)
    >>> check_token(make_token(bytes(32), bound), bytes(32), 0) == Good(bound=bound)
    True
    """
    if len(key) < KEY_BYTES:
        raise ValueError(f"found a key of {len(key)} bytes, expected at least {KEY_BYTES}")
    expires_s = bound.expires_us // US_PER_S
    claims = canonical_bytes([bound.case_id, bound.message_id, bound.party, bound.channel, expires_s])
    return f"{_text(claims)}.{_text(_mac(key, _DOMAIN, claims))}"


def check_token(
    token: str,
    key: bytes,
    now_us: int,
    *,
    message_id: str | None = None,
    party: str | None = None,
    channel: str | None = None,
    answer: str | None = None,
    spent: str | None = None,
) -> Good | Refused:
    """Judge a token: the MAC first, in equal time, and everything else only if it is good.

    Parameters
    ----------
    token : str
    key : bytes
    now_us : int
        Microseconds UTC.
    message_id, party, channel : str or None
        What the answer itself claims to be about; None where it claims nothing.
    answer, spent : str or None
        `answer_digest` of this answer, and of the one that used this token before; None if none did.

    Returns
    -------
    Good or Refused
    """
    bound = _bound(token, key)
    if isinstance(bound, TokenRefusal):
        return Refused(why=bound)
    for claimed, bound_to, why in (
        (message_id, bound.message_id, TokenRefusal.OTHER_MESSAGE),
        (party, bound.party, TokenRefusal.OTHER_PARTY),
        (channel, bound.channel, TokenRefusal.OTHER_CHANNEL),
    ):
        if claimed is not None and claimed != bound_to:
            return Refused(why=why, bound=bound)
    if spent is not None:
        if answer != spent:
            return Refused(why=TokenRefusal.REPLAYED, bound=bound)
        return Good(bound=bound, is_same_again=True)
    if now_us >= bound.expires_us:
        return Refused(why=TokenRefusal.EXPIRED, bound=bound)
    return Good(bound=bound)


def answer_digest(who: str, what: str, text: str) -> str:
    """Return what tells one answer from another: the same for the same person, kind and words."""
    return sha256(canonical_bytes([who, what, text])).hexdigest()


def receipt_code(key: bytes, message: Message) -> str:
    """Return a code by which a relay's delivery notice shows that it is about this message and no guess.

    It goes where only relays see it (the envelope of a mail, RFC 3461 ENVID), so that neither an outsider nor the
    recipient can write a notice. 32 hexadecimal digits, since some relays return an envelope id in capitals.
    """
    claims = canonical_bytes([message.message_id, message.recipient, message.channel])
    return _mac(key, _RECEIPT_DOMAIN, claims)[:_RECEIPT_BYTES].hex()


def _bound(token: str, key: bytes) -> Bound | TokenRefusal:
    head, dot, tail = token.partition(".")
    claims, mac = _bytes(head), _bytes(tail)
    if len(token) > TOKEN_LIMIT or not dot or claims is None or mac is None:
        return TokenRefusal.MALFORMED
    if not hmac.compare_digest(mac, _mac(key, _DOMAIN, claims)):
        return TokenRefusal.FORGED
    case_id, message_id, party, channel, expires_s = parse_json(claims)
    return Bound(
        case_id=case_id, message_id=message_id, party=party, channel=channel, expires_us=int(expires_s) * US_PER_S
    )


def _mac(key: bytes, domain: bytes, claims: bytes) -> bytes:
    return hmac.new(key, domain + claims, sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    """Return the bytes of a text if it is the one way of writing them."""
    if not text or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return raw if _text(raw) == text else None
