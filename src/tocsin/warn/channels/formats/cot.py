"""Cursor-on-Target: a message as a GeoChat with a marker where it happened, and what comes back read as an answer.

Writes CoT 2.0 events: `b-t-f` (chat) to each contact of the recipient, `b-m-p-s-m` (a plain spot, of no affiliation) at
the place, taken away by `t-x-d-d` when the case ends. Reads `b-t-f-d` (delivered), `b-t-f-r` (read) and chats back to
us that quote the case. It never writes an atom (`a-…`), so it calls nobody friend or hostile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from xml.etree import ElementTree as ET

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from msgspec import Struct
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.errors import Place
from tocsin.units import format_instant
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.message import QUOTE_LENGTH, neutral
from tocsin.warn.states import AnswerKind, Purpose
from tocsin.warn.telling import Message

EVENT_LIMIT = 1 << 20
"""Bytes of one event that are still read."""
STALE_S = 86_400.0
"""Seconds after which an event may be forgotten by who has it. Origin: a day, as answers live."""
UNKNOWN = "9999999.0"
"""CoT's own word for an error or height that nobody knows."""
SPOT = "b-m-p-s-m"
RECEIPTS = {"b-t-f-d": AnswerKind.DELIVERED, "b-t-f-r": AnswerKind.READ}

_ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})
_QUOTED = re.compile(r"(?<![0-9a-f])[0-9a-f]{8,32}(?![0-9a-f])", re.IGNORECASE)
_END = re.compile(rb"</event\s*>|<event\b[^>]*/>")


class Contact(Struct, frozen=True, kw_only=True):
    """Somebody on a TAK network.

    Attributes
    ----------
    uid, callsign : str
    """

    uid: str
    callsign: str


def events(message: Message, *, ours: Contact, to: Sequence[Contact], now_us: int) -> tuple[bytes, ...]:
    """Return the events of a message: a chat to each contact, and the marker or its end where a place is known.

    Parameters
    ----------
    message : Message
    ours : Contact
    to : sequence of Contact
    now_us : int
        Time of the attempt, microseconds UTC.
    """
    made = [_chat(message, ours, contact, now_us) for contact in to]
    if message.purpose in _ENDING:
        made.append(_unmark(message, to, now_us))
    elif message.facts is not None and message.facts.lat_deg is not None:
        made.append(_mark(message, to, now_us))
    return tuple(ET.tostring(event, encoding="utf-8") for event in made)


def read_event(
    raw: bytes,
    *,
    now_us: int,
    source: str,
    channel: str | None,
    ours: Contact,
    contacts: Mapping[str, str],
    told: Callable[[str], Message | None],
    is_trusted: bool,
) -> Answer | Rejected | None:
    """Return the answer that a CoT event gives; None if it is not meant for us.

    Parameters
    ----------
    raw : bytes
        One event.
    now_us : int
        When it was heard, microseconds UTC.
    source : str
        Where it was read.
    channel : str or None
        The channel by which chats are heard; None where the transport serves several.
    ours : Contact
    contacts : mapping of str to str
        The party that each contact's uid speaks for.
    told : callable
        The message of an id, or None.
    is_trusted : bool
        True if the connection has TLS: without it nobody knows who sent what.
    """
    if len(raw) > EVENT_LIMIT:
        return _rejected(source, f"{len(raw):,} bytes, expected at most {EVENT_LIMIT:,}", b"")
    try:
        event = fromstring(raw, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError) as error:
        return _rejected(source, f"no CoT event: {error}", raw)
    kind = event.get("type", "")
    if event.tag != "event" or (kind not in RECEIPTS and kind != "b-t-f"):
        return None
    sender = _sender(event)
    if kind in RECEIPTS:
        found = _receipt(event, kind, sender, now_us, source, contacts, told)
    else:
        found = _chat_back(event, sender, now_us, source, channel, ours, contacts)
    if isinstance(found, str):
        return _rejected(source, found, raw)
    if found is not None and not is_trusted:
        return replace(found, refused="heard over a connection without TLS: who sent it cannot be known")
    return found


def split(buffer: bytes) -> tuple[list[bytes], bytes]:
    r"""Return the whole events at the front of a stream, and the rest.

    Raises
    ------
    ValueError
        If the rest is longer than any event may be.

    Examples
    --------
    >>> split(b"<event a='1'></event>\n<event><po")
    ([b"<event a='1'></event>"], b'\n<event><po')
    """
    found, at = [], 0
    for end in _END.finditer(buffer):
        found.append(buffer[at : end.end()].strip())
        at = end.end()
    rest = buffer[at:]
    if len(rest) > EVENT_LIMIT:
        raise ValueError(f"{len(rest):,} bytes without the end of an event, expected at most {EVENT_LIMIT:,}")
    return found, rest


def _event(uid: str, kind: str, message: Message, now_us: int, *, placed: bool) -> ET.Element:
    facts = message.facts
    event = ET.Element("event", {"version": "2.0", "uid": uid, "type": kind, "how": "m-g"})
    event.set("time", _instant(now_us))
    event.set("start", _instant(message.queued_us))
    event.set("stale", _instant(message.queued_us + round(STALE_S * US_PER_S)))
    lat = facts.lat_deg if facts and placed else None
    lon = facts.lon_deg if facts and placed else None
    accuracy = facts.accuracy_m if facts and placed else None
    ET.SubElement(event, "point", {
        "lat": f"{lat or 0.0:.7f}", "lon": f"{lon or 0.0:.7f}", "hae": UNKNOWN,
        "ce": UNKNOWN if accuracy is None else f"{accuracy:.1f}", "le": UNKNOWN,
    })  # fmt: skip
    return event


def _chat(message: Message, ours: Contact, to: Contact, now_us: int) -> ET.Element:
    event = _event(f"GeoChat.{ours.uid}.{to.uid}.{message.message_id}", "b-t-f", message, now_us, placed=True)
    detail = ET.SubElement(event, "detail")
    chat = ET.SubElement(detail, "__chat", {
        "parent": "RootContactGroup", "groupOwner": "false", "messageId": message.message_id, "chatroom": to.callsign,
        "id": to.uid, "senderCallsign": ours.callsign,
    })  # fmt: skip
    ET.SubElement(chat, "chatgrp", {"uid0": ours.uid, "uid1": to.uid, "id": to.uid})
    ET.SubElement(detail, "link", {"uid": ours.uid, "type": SPOT, "relation": "p-p"})
    remarks = {"source": ours.uid, "to": to.uid, "time": _instant(message.queued_us)}
    ET.SubElement(detail, "remarks", remarks).text = f"{message.subject}\n{message.body}"
    _addressed(detail, [to])
    return event


def _mark(message: Message, to: Sequence[Contact], now_us: int) -> ET.Element:
    event = _event(_spot_uid(message), SPOT, message, now_us, placed=True)
    detail = ET.SubElement(event, "detail")
    ET.SubElement(detail, "contact", {"callsign": f"{message.case_id[:QUOTE_LENGTH]} {message.recipient}"})
    ET.SubElement(detail, "remarks").text = message.subject
    _addressed(detail, to)
    return event


def _unmark(message: Message, to: Sequence[Contact], now_us: int) -> ET.Element:
    event = _event(f"{_spot_uid(message)}.end", "t-x-d-d", message, now_us, placed=False)
    detail = ET.SubElement(event, "detail")
    ET.SubElement(detail, "link", {"uid": _spot_uid(message), "relation": "p-p", "type": SPOT})
    ET.SubElement(detail, "__forcedelete")
    _addressed(detail, to)
    return event


def _addressed(detail: ET.Element, to: Sequence[Contact]) -> None:
    marti = ET.SubElement(detail, "marti")
    for contact in to:
        ET.SubElement(marti, "dest", {"callsign": contact.callsign})


def _spot_uid(message: Message) -> str:
    return f"tocsin.{message.case_id}.{message.recipient}"


def _sender(event: ET.Element) -> Contact:
    link, group = event.find("detail/link"), event.find("detail/*/chatgrp")
    uid = link.get("uid", "") if link is not None else ""
    if not uid and group is not None:
        uid = group.get("uid0", "")
    chat = event.find("detail/__chat")
    if chat is None:
        chat = event.find("detail/__chatreceipt")
    callsign = chat.get("senderCallsign", "") if chat is not None else ""
    return Contact(uid=uid, callsign=neutral(callsign) or neutral(uid))


def _receipt(
    event: ET.Element,
    kind: str,
    sender: Contact,
    now_us: int,
    source: str,
    contacts: Mapping[str, str],
    told: Callable[[str], Message | None],
) -> Answer | str | None:
    receipt = event.find("detail/__chatreceipt")
    named = receipt.get("messageId", "") if receipt is not None else ""
    named = named or event.get("uid", "")
    message_id = named.rpartition(".")[2]
    message = told(message_id)
    if message is None:
        return None
    party = contacts.get(sender.uid, "")
    strange = f"receipt from {neutral(sender.uid)!r}, which speaks for {party or 'nobody'} here"
    return Answer(
        at_us=now_us,
        who=sender.callsign,
        party=party,
        kind=RECEIPTS[kind],
        case_id=message.case_id,
        message_id=message_id,
        channel=message.channel,
        source=source,
        key=f"cot/{message_id}/{sender.uid}/{kind}",
        refused="" if party == message.recipient else strange,
    )


def _chat_back(
    event: ET.Element,
    sender: Contact,
    now_us: int,
    source: str,
    channel: str | None,
    ours: Contact,
    contacts: Mapping[str, str],
) -> Answer | str | None:
    chat, group = event.find("detail/__chat"), event.find("detail/__chat/chatgrp")
    addressed = {chat.get("id") if chat is not None else None, group.get("uid1") if group is not None else None}
    if sender.uid == ours.uid or ours.uid not in addressed:
        return None
    party = contacts.get(sender.uid)
    if party is None:
        return f"chat from {neutral(sender.uid)!r}, which speaks for nobody here"
    text = event.findtext("detail/remarks") or ""
    quoted = _QUOTED.search(text)
    if quoted is None:
        return "chat that quotes no case"
    return Answer(
        at_us=now_us,
        who=sender.callsign,
        party=party,
        kind=AnswerKind.ANSWERED,
        case_id=quoted[0].lower(),
        channel=channel,
        text=text,
        source=source,
    )


def _instant(at_us: int) -> str:
    return format_instant(at_us - at_us % 1_000)[:23] + "Z"


def _rejected(source: str, reason: str, raw: bytes) -> Rejected:
    return Rejected(
        place=Place(source), reason=neutral(reason), text=neutral(raw.decode("utf-8", "replace"), limit=500)
    )
