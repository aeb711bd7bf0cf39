"""CAP 1.2 (OASIS, ITU-T X.1303 bis): a message as a Common Alerting Protocol document.

A first message is an `Alert`, a later one of the case to the same recipient an `Update` of it, a correction a `Cancel`
of what was told. A stand-down is an `Update` with `AllClear`, since nothing told was wrong. It writes no `Ack`, since
CAP's means received *and accepted*, and ours means received. Nothing is ranked: severity is `Unknown`, and no response
is asked for. A replay is `Test`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.warn.channels.formats.form import Payload
from tocsin.warn.content import Facts, Version
from tocsin.warn.states import Purpose
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = r"^[^\s,<&]+$"
"""What CAP allows in the name of a sender (§3.2.1)."""
CATEGORIES = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
"""The categories of CAP 1.2 §3.2.2."""

_ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})
_FORESEEN = frozenset({EventKind.APPROACH})


class CapForm(Struct, frozen=True, kw_only=True):
    """CAP 1.2 documents of one sender.

    Attributes
    ----------
    sender : str
        Who sends, unique in the world, such as `watch@example.org`; no space, comma, `<` or `&`.
    category : str
        One of `CATEGORIES`.

    Raises
    ------
    ValueError
        If CAP does not allow the sender or category.
    """

    sender: str
    category: str = "Safety"

    def __post_init__(self) -> None:
        if not re.match(SENDER, self.sender):
            raise ValueError(f"found sender {self.sender!r}, expected a name without space, comma, < or &")
        if self.category not in CATEGORIES:
            raise ValueError(f"found category {self.category!r}, expected one of {', '.join(CATEGORIES)}")

    def render(self, message: Message) -> Payload:
        """Return the document; see `Form.render`."""
        body = ET.tostring(self.document(message), encoding="utf-8", xml_declaration=True)
        return Payload(body=body, content_type="application/cap+xml", suffix=".cap.xml")

    def document(self, message: Message) -> ET.Element:
        """Return the document as an element."""
        facts = message.facts
        earlier = facts.earlier if facts else ()
        alert = ET.Element("alert", {"xmlns": NAMESPACE})
        add = _adder(alert)
        add("identifier", message.message_id)
        add("sender", self.sender)
        add("sent", cap_instant(message.queued_us))
        add("status", "Test" if facts and facts.preface else "Actual")
        add("msgType", _kind(message.purpose, told_before=bool(earlier)))
        add("scope", "Private")
        add("addresses", _quoted(message.recipient))
        if message.purpose is Purpose.CORRECTION:
            add("note", message.subject)
        if earlier:
            told = (f"{self.sender},{old.message_id},{cap_instant(old.queued_us)}" for old in earlier)
            add("references", " ".join(told))
        add("incidents", message.case_id)
        versions = facts.versions if facts else ()
        if not versions:
            alert.append(self._info(message, None, None))
        for version in versions:
            alert.append(self._info(message, facts, version))
        return alert

    def _info(self, message: Message, facts: Facts | None, version: Version | None) -> ET.Element:
        info = ET.Element("info")
        add = _adder(info)
        subject = version.subject if version else message.subject
        if version:
            add("language", version.language)
        add("category", self.category)
        add("event", subject.partition(":")[0])
        if message.purpose in _ENDING:
            add("responseType", "AllClear")
        add("urgency", "Past" if message.purpose in _ENDING else "Immediate")
        add("severity", "Unknown")
        add("certainty", _certainty(facts))
        if facts:
            add("senderName", facts.agreement_id)
        add("headline", subject)
        add("description", _description(message, facts, version))
        if version:
            add("instruction", version.answer)
        for name, value in (("tocsin:case", message.case_id), ("tocsin:level", str(message.level))):
            parameter = ET.SubElement(info, "parameter")
            _adder(parameter)("valueName", name)
            _adder(parameter)("value", value)
        if facts and facts.zone_id is not None:
            info.append(_area(facts))
        return info


def cap_instant(at_us: int) -> str:
    """Return an instant as CAP writes UTC: whole seconds, and `-00:00` where others write `Z` (§3.3.2).

    Examples
    --------
    >>> cap_instant(1_495_105_320_000_000)
    '2017-05-18T11:02:00-00:00'
    """
    return datetime.fromtimestamp(at_us // US_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%S") + "-00:00"


def _kind(purpose: Purpose, *, told_before: bool) -> str:
    if not told_before:
        return "Alert"
    return "Cancel" if purpose is Purpose.CORRECTION else "Update"


def _certainty(facts: Facts | None) -> str:
    if facts is None or facts.kind is None or facts.kind in _FORESEEN:
        return "Unknown"
    return "Observed"


def _description(message: Message, facts: Facts | None, version: Version | None) -> str:
    if facts is None or version is None:
        return message.body
    agreed = [text for language, text in facts.said if language == version.language]
    preface = [facts.preface] if facts.preface else []
    return "\n".join([*preface, *(agreed or [text for _, text in facts.said]), *version.facts])


def _area(facts: Facts) -> ET.Element:
    area = ET.Element("area")
    _adder(area)("areaDesc", facts.zone_id or "")
    if facts.lat_deg is not None and facts.lon_deg is not None:
        radius_km = (facts.accuracy_m or 0.0) / 1_000.0
        _adder(area)("circle", f"{facts.lat_deg:.6f},{facts.lon_deg:.6f} {radius_km:.3f}")
    return area


def _quoted(recipient: str) -> str:
    return f'"{recipient}"' if " " in recipient else recipient


def _adder(parent: ET.Element) -> Callable[[str, str], None]:
    def add(name: str, text: str) -> None:
        ET.SubElement(parent, name).text = text

    return add
