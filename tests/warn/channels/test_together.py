"""All transports behind one seam: many threads at once, an error of our own, a time-out against the deadlines."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from tests.warn.cap_rules import faults
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.receiver import Receiver, status
from tests.warn.stories import T0, S, cable

from tocsin.canon import parse_json
from tocsin.warn.channels.config import Transports, load_transports
from tocsin.warn.channels.file import Documents, JsonLinesFile
from tocsin.warn.channels.formats.cap import CapForm
from tocsin.warn.channels.pace import Paced
from tocsin.warn.channels.transport import Hear, Listener, Told
from tocsin.warn.channels.webhook import Webhook
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

FORM = CapForm(sender="watch@example.org")


class Broken:
    """A transport with a fault of its own, that also listens."""

    kind = "broken"
    timeout_s = 200.0

    def __init__(self) -> None:
        self.is_listening = False

    def send(self, message: Message, now_us: int) -> Outcome:
        raise KeyError("secret")

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        self.is_listening = True

        def end() -> None:
            self.is_listening = False

        return end


def many(message: Message, count: int = 200) -> list[Message]:
    return [replace(message, message_id=f"{n:032x}") for n in range(count)]


def test_many_threads_lose_and_tear_no_line(tmp_path: Path, message: Message) -> None:
    out = JsonLinesFile(tmp_path / "out.jsonl")
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda m: out.send(m, T0), many(message)))
    lines = out.path.read_bytes().splitlines(keepends=True)
    assert sorted(parse_json(line)["message_id"] for line in lines) == [m.message_id for m in many(message)]
    starts = {0}
    for line in lines:
        starts.add(max(starts) + len(line))
    assert {int(str(o.transport_id).partition("@")[2]) for o in outcomes} < starts


def test_many_threads_get_no_more_than_the_repeats_allowed(tmp_path: Path, message: Message) -> None:
    paced = Paced(JsonLinesFile(tmp_path / "out.jsonl"), repeats_per_minute=7)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda m: paced.send(replace(m, is_repeat=True), T0 + S), many(message)))
    assert sum(o.state is MessageState.HANDED_OVER for o in outcomes) == 7


def test_error_of_our_own_is_one_failed_attempt_and_shows_nothing(tmp_path: Path, message: Message) -> None:
    transports = Transports({message.channel: Broken()}, JsonLinesFile(tmp_path / "x"))
    outcome = transports.send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert outcome.reason == "error in this station: KeyError; whether it was received is not known"


def test_time_out_above_a_deadline_is_said(tmp_path: Path) -> None:
    transports = Transports({"desk_mail": Broken(), "satc": Broken()}, JsonLinesFile(tmp_path / "x"))
    assert transports.too_slow(cable()) == (
        "satc: an attempt may take 3 min, level 1 waits 3 min for its answer",
        "satc: an attempt may take 3 min, level 2 waits 2 min for its answer",
    )
    assert Transports({}, JsonLinesFile(tmp_path / "x")).too_slow(cable()) == ()


def test_every_listener_is_started_also_behind_a_pace_and_ended(tmp_path: Path) -> None:
    bare, paced = Broken(), Broken()
    quiet = JsonLinesFile(tmp_path / "x")
    transports = Transports({"a": bare, "b": Paced(paced, repeats_per_minute=1), "c": quiet}, quiet)
    end = transports.listen(lambda _: None, lambda _: None)
    assert (bare.is_listening, paced.is_listening) == (True, True)
    end()
    assert (bare.is_listening, paced.is_listening) == (False, False)
    assert isinstance(bare, Listener)
    assert not isinstance(quiet, Listener)


def test_cap_goes_into_a_folder_whole_and_the_same_twice(tmp_path: Path, message: Message) -> None:
    folder = Documents(tmp_path / "cap", FORM)
    first = folder.send(message, T0)
    again = folder.send(message, T0 + S)
    assert first == again
    (found,) = (tmp_path / "cap").iterdir()
    assert found.name == first.transport_id == f"{message.message_id}.cap.xml"
    assert faults(found.read_bytes()) == []


def test_cap_is_posted_signed(message: Message) -> None:
    key = Ed25519PrivateKey.generate()
    with Receiver(status(200)) as receiver:
        outcome = Webhook(receiver.url, key=key, allow=LOOPBACK, form=FORM).send(message, T0)
    assert outcome.state is MessageState.HANDED_OVER
    got = receiver.received[0]
    assert got.headers["content-type"] == "application/cap+xml"
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    key.public_key().verify(base64.b64decode(got.headers["webhook-signature"].removeprefix("v1a,")), signed)
    assert faults(got.body) == []


def test_answer_secret_is_made_once_and_kept_from_others(tmp_path: Path, message: Message) -> None:
    text = "x: {transport: operator, path: radio, station: W}\nanswers: {url: 'https://watch.example.org/a/'}"
    (tmp_path / "channels.yaml").write_text(text)
    pages = set()
    for _ in range(2):
        transports = load_transports(tmp_path / "channels.yaml", out=tmp_path)
        assert transports["x"].send(message, T0).state is MessageState.HANDED_OVER
        pages.add((tmp_path / "radio" / f"{message.message_id}.html").read_text())
    assert len(pages) == 1
    secret = tmp_path / "answer-key.hex"
    assert secret.stat().st_mode & 0o077 == 0
    assert secret.read_text().strip() not in pages.pop()
