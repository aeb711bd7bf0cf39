"""Repeats are limited per party; what is said for the first time never is."""

from __future__ import annotations

from pathlib import Path

from tests.warn.stories import HANDED, NEVER, T0, S, cable, event

from tocsin.agreement.playbook import MOVER
from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.pace import Paced
from tocsin.warn.dispatch import WarnResult, run
from tocsin.warn.telling import Message, Outcome
from tocsin.watch.event import EventKind


class Open:
    """A transport that takes everything and keeps when."""

    timeout_s = 0.0
    kind = "test"

    def __init__(self) -> None:
        self.sent: list[tuple[float, Message]] = []

    def send(self, message: Message, now_us: int) -> Outcome:
        self.sent.append(((now_us - T0) / S, message))
        return HANDED


class One(dict[str, Paced]):
    """Every channel has the one transport."""

    def __init__(self, paced: Paced) -> None:
        super().__init__()
        self.paced = paced

    def get(self, _channel: str, _default: object = None) -> Paced:  # type: ignore[override]
        return self.paced


def storm(limit: int) -> tuple[Open, WarnResult]:
    acts = [
        event(EventKind.LOITER, n / 100, rule="guard/anchor", track_id=f"mmsi:{n}", event_id=f"e{n}") for n in range(40)
    ]
    inner = Open()
    result = run(cable(), acts, [], One(Paced(inner, repeats_per_minute=limit)), until_us=T0 + 470 * S)
    return inner, result


def test_storm_says_everything_once_at_once_and_repeats_within_the_limit() -> None:
    inner, _ = storm(limit=5)
    fishers = [(at, m) for at, m in inner.sent if m.recipient == "fishers"]
    first = [at for at, m in fishers if not m.is_repeat]
    assert len(first) == 40
    assert max(first) < 1.0, "no first message waited"
    repeats = sorted(at for at, m in fishers if m.is_repeat)
    assert repeats
    for at in repeats:
        assert sum(at - 60.0 < other <= at for other in repeats) <= 5


def test_held_back_repeat_is_said_so_and_uses_no_backup() -> None:
    _, result = storm(limit=1)
    steps = [step for case in result.cases for step in case.steps]
    assert any("held back: 1 repeats went to fishers within a minute" in step.reason for step in steps)
    assert not any("its backup is" in step.reason for step in steps)
    held = [a for case in result.cases for a in case.attempts if a.outcome and a.outcome.held_back]
    assert held
    assert all(a.as_json()["held_back"] for a in held)


def test_movers_are_counted_each_for_itself() -> None:
    inner, _ = storm(limit=5)
    to_movers = [m for at, m in inner.sent if m.recipient == MOVER and m.is_repeat and 119.0 < at < 121.0]
    assert len({m.case_id for m in to_movers}) == 40


def test_failed_message_said_again_is_no_repeat_for_somebody_not_reached() -> None:
    class Dead(Open):
        def send(self, message: Message, now_us: int) -> Outcome:
            super().send(message, now_us)
            return NEVER if message.channel == "vhf16" else HANDED

    inner = Dead()
    run(cable(), [event(EventKind.APPROACH)], [], One(Paced(inner, repeats_per_minute=1)), until_us=T0 + 10 * S)
    assert not any(m.is_repeat for _, m in inner.sent)


def test_limit_is_set_in_the_channels_file(tmp_path: Path) -> None:
    (tmp_path / "channels.yaml").write_text("vhf16: {transport: console, repeats_per_minute: 3}")
    assert isinstance(load_transports(tmp_path / "channels.yaml", out=tmp_path)["vhf16"], Paced)
