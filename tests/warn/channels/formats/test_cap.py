"""CAP 1.2: every document of a whole case is valid, refers to what came before, and never says Ack."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace
from tests.warn.cap_rules import NAMESPACE, faults
from tests.warn.stories import Walk, cable, event, withdrawn

from tocsin.agreement.boundary import boundary_words
from tocsin.warn.channels.formats.cap import CapForm
from tocsin.warn.message import Wording
from tocsin.warn.states import Purpose
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind

FORM = CapForm(sender="watch@example.org")
HOSTILE = ["MV <Hope> & 'Co'", "a\r\nBcc: x", "\x00\x1b[31m", "\ud7ff\ufffe", "]]>", "x" * 10_000, "سفينة\u202e"]


def parts(message: Message) -> dict[str, str]:
    root = ET.fromstring(FORM.render(message).body)
    return {child.tag.removeprefix(NAMESPACE): child.text or "" for child in root}


def whole_case(end: str) -> list[Message]:
    walk = Walk()
    found = event(EventKind.APPROACH, accuracy_m=15.0)
    walk.found(found)
    walk.until(400)
    walk.found(withdrawn(found, 500) if end == "correction" else event(EventKind.EXIT, 500, zone="outer"))
    assert walk.case is not None
    return [m for m in walk.case.messages if m.channel == "vhf16"]


@pytest.mark.parametrize("end", ["stand_down", "correction"])
def test_every_document_of_a_case_is_valid_and_refers_to_the_ones_before(end: str) -> None:
    said = whole_case(end)
    assert len(said) > 2
    assert [faults(FORM.render(m).body) for m in said] == [[]] * len(said)
    kinds = [parts(m)["msgType"] for m in said]
    assert kinds[0] == "Alert"
    assert set(kinds[1:-1]) == {"Update"}
    assert kinds[-1] == ("Cancel" if end == "correction" else "Update")
    for n, message in enumerate(said[1:], start=1):
        references = parts(message)["references"].split()
        assert references == [",".join(("watch@example.org", old.message_id, parts(old)["sent"])) for old in said[:n]]
    last = FORM.document(said[-1]).find("info/responseType")
    assert last is not None
    assert last.text == "AllClear"


def test_no_message_of_any_purpose_is_an_ack_or_asks_for_a_response() -> None:
    for end in ("stand_down", "correction"):
        for message in whole_case(end):
            body = FORM.render(message).body.decode()
            assert ">Ack<" not in body
            assert "responseType" not in body or message.purpose in {Purpose.STAND_DOWN, Purpose.CORRECTION}
            assert "<severity>Unknown<" in body


def test_replay_is_a_test_and_live_is_actual() -> None:
    walk = Walk()
    walk.wording = Wording(playbook=walk.playbook, preface="REPLAY")
    assert parts(walk.found(event(EventKind.APPROACH)).messages[0])["status"] == "Test"
    assert parts(Walk().found(event(EventKind.APPROACH)).messages[0])["status"] == "Actual"


def test_one_info_for_each_language_and_the_place_as_a_circle() -> None:
    message = next(m for m in Walk().found(event(EventKind.APPROACH, accuracy_m=15.0)).messages if m.channel == "vhf16")
    root = ET.fromstring(FORM.render(message).body)
    infos = root.findall(f"{NAMESPACE}info")
    assert [info.findtext(f"{NAMESPACE}language") for info in infos] == ["en", "es"]
    assert [info.findtext(f"{NAMESPACE}area/{NAMESPACE}circle") for info in infos] == ["57.100000,5.500000 0.015"] * 2
    assert "Cable submarino delante" in str(infos[1].findtext(f"{NAMESPACE}description"))
    assert [info.findtext(f"{NAMESPACE}event") for info in infos] == ["Warning", "Advertencia"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_stays_text(name: str) -> None:
    case = Walk().found(event(EventKind.APPROACH, track_id="dev:" + name, zone="guard", category=name))
    for message in case.messages:
        body = FORM.render(message).body
        assert faults(body) == []
        assert boundary_words(body.decode()) == []
        assert len(list(ET.fromstring(body).iter())) == len(
            list(ET.fromstring(FORM.render(replace(message, subject="x")).body).iter())
        )


def test_message_without_facts_is_still_valid() -> None:
    message = replace(Walk().found(event(EventKind.APPROACH)).messages[0], facts=None)
    assert faults(FORM.render(message).body) == []


def test_same_document_at_every_attempt() -> None:
    message = Walk(cable()).found(event(EventKind.APPROACH)).messages[0]
    assert FORM.render(message) == FORM.render(message)


@pytest.mark.parametrize("sender", ["two words", "a,b", "a<b", "a&b", ""])
def test_sender_that_cap_forbids_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="expected a name without space"):
        CapForm(sender=sender)


def test_category_that_cap_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of Geo"):
        CapForm(sender="a", category="Military")


@pytest.mark.parametrize(
    ("pattern", "wrong", "fault"),
    [
        ("<sent>.*?</sent>", "<sent>2030-03-17T17:46:40Z</sent>", "alert/sent"),
        ("<msgType>Alert", "<msgType>Warn", "alert/msgType"),
        ("<scope>Private</scope>", "", "0 of scope"),
        ("<severity>Unknown</severity>", "", "0 of severity"),
        ("(<status>.*?</status>)(<msgType>.*?</msgType>)", r"\2\1", "out of order"),
        ("<addresses>.*?</addresses>", "", "no addresses"),
        ("<msgType>Alert", "<msgType>Update", "no references"),
        (r"<circle>.*?</circle>", "<circle>here</circle>", "area/circle"),
        ("<headline>", "<tail/><headline>", "tail is not of CAP"),
    ],
)
def test_rules_find_what_is_wrong(pattern: str, wrong: str, fault: str) -> None:
    body = FORM.render(Walk().found(event(EventKind.APPROACH)).messages[0]).body.decode()
    broken = re.sub(pattern, wrong, body, flags=re.DOTALL)
    assert broken != body
    assert [found for found in faults(broken.encode()) if fault in found]
