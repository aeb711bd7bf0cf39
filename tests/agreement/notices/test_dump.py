"""A register that was kept and taken up again tells the same facts, whatever comes, at whatever moment it was kept."""

from __future__ import annotations

import random

from msgspec.structs import fields
from tests.agreement.notices.given import about, checked, consent, notice, receipt, rules

from tocsin.agreement.notices import dump
from tocsin.agreement.notices.dump import dump_register, load_register
from tocsin.agreement.notices.held import Held
from tocsin.agreement.notices.notice import Notice
from tocsin.agreement.notices.register import KEPT_S, Register
from tocsin.units import format_instant, parse_instant_us

DAY_US = 86_400 * 1_000_000


def story(rng: random.Random) -> list:
    """Return what parties say over two days: given, again, changed, taken back, received, read, too late."""
    at_us = parse_instant_us("2031-06-01T08:00:00Z")
    told, names = [], ["F-1", "F-2", "F-3"]
    for number in range(30):
        at_us += rng.randrange(7_200) * 1_000_000
        at, name = format_instant(at_us), rng.choice(names)
        given = {"given_at": at, "reference": name, "content": {"gear": rng.choice(["pots", "nets"])}}
        site = {"given_at": at, "reference": f"S-{rng.randrange(3)}", "kind": "site", "movers": None, "route": None}
        site |= {"site": {"name": "clinic"}, "around": {"lat_deg": 57.1, "lon_deg": 5.2, "radius": "300 m"}, "to": None}
        match rng.randrange(9):
            case 0 | 1:
                told.append(notice(**given, reason=rng.choice(["", "ice"])))
            case 2:
                told.append(notice(**given, act="change", replaces=name))
            case 3:
                told.append(notice(**site))
            case 4:
                act = rng.choice(["cancel", "withdraw", "confirm"])
                told.append(about(act, name, at, reference=f"A-{number}"))
            case 5:
                told.append(receipt("received", at, notice=name))
            case 6:
                told.append(receipt("read", at, notice=name, unit="watch"))
            case 7:
                told.append(consent("operator", at, notice=name))
            case _:
                told.append(checked("verified", at, notice="S-1"))
    return told


def test_a_kept_register_goes_on_as_if_nothing_had_been() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        told = story(rng)
        whole, cut = Register(rules()), Register(rules())
        for item in told:
            expected = whole.take(item)
            if rng.random() < 0.3:
                cut = load_register(dump_register(cut), rules())
            assert cut.take(item) == expected
        end_us = told[-1].at_us + 5 * DAY_US
        cut = load_register(dump_register(cut), rules())
        assert cut.pass_time(end_us) == whole.pass_time(end_us) and whole.facts
        assert {k: h.as_json() for k, h in cut.held.items()} == {k: h.as_json() for k, h in whole.held.items()}


def test_the_kept_fields_are_all_there_are() -> None:
    assert set(dump._Notice.__struct_fields__) == {field.name for field in fields(Notice)}
    assert set(dump._Held.__struct_fields__) == {field.name for field in fields(Held)}


def test_what_ended_long_ago_is_forgotten_and_what_stands_or_stood_lately_is_not() -> None:
    register = Register(rules())
    register.take(notice())
    register.take(
        notice(reference="F-2", given_at="2031-06-01T08:01:00Z", act="change", replaces="F-1", content={"gear": "x"})
    )
    register.take(
        notice(reference="F-9", given_at="2031-06-01T08:02:00Z", to="2039-01-01T00:00:00Z", movers=[{"name": "tug"}])
    )
    over_us = parse_instant_us("2031-06-02T16:00:00Z")
    register.pass_time(over_us)
    kept_us = round(KEPT_S * 1_000_000)
    assert register.forget(over_us + kept_us) == [], "the change has ended only now, and what it replaced stays with it"
    assert register.forget(over_us + kept_us + 1) == ["fishers/F-1", "fishers/F-2"]
    assert list(register.held) == ["fishers/F-9"]
    again = register.take(notice(given_at=format_instant(over_us + kept_us + 2)))
    assert again[0].notice == "fishers/F-1" and not register.pass_time(over_us + kept_us + 3 * DAY_US)[0].detail.get(
        "x"
    )
