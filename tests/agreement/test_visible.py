"""Who may see what: against a naive reading of the agreement, and the rules that no grant may break."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from pyproj import Geod
from tests.naive_agreement import may_see_naive

from tocsin.agreement.load import load, parse
from tocsin.agreement.visible import (
    LEAST_BLUR_M,
    PUBLIC,
    Policy,
    Reason,
    Sort,
    Thing,
    blurred,
    compile_policy,
    decide,
    seers,
    table,
)
from tocsin.agreement.watchlist import Conduct
from tocsin.errors import AgreementErrors
from tocsin.units import format_instant, parse_instant_us

DATA = Path(__file__).parent.parent / "data" / "agreements"
START = parse_instant_us("2031-05-01T00:00:00Z")
HOUR = 3_600_000_000
PARTIES = ("north", "south", "militia", "watch")
WORDS = (
    "all", "own", "own_vessels_only", "entry", "loiter", "gap", "level1", "level2", "reports", "events", "cases",
    "messages", "claims", "notices", "counts", "record", "daily_counts", "monthly_counts",
)  # fmt: skip

times = st.integers(-3, 9).map(lambda h: START + h * HOUR)
grants = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=3),
    st.builds(
        lambda sees, begin, length, delay: {
            "sees": sees,
            **({} if begin is None else {"from_us": begin}),
            **({} if begin is None or length is None else {"until_us": begin + length * HOUR}),
            **({} if delay is None else {"delay_s": delay * 1800}),
        },
        st.lists(st.sampled_from(WORDS), max_size=3),
        st.none() | times,
        st.none() | st.integers(1, 6),
        st.none() | st.integers(1, 4),
    ),
)
names = st.lists(st.sampled_from(PARTIES), max_size=3)
agreements = st.fixed_dictionaries({
    "routing": st.dictionaries(st.sampled_from((*PARTIES, PUBLIC)), grants, max_size=4),
    "notices": st.dictionaries(
        st.sampled_from(("movement", "humanitarian")), st.fixed_dictionaries({"visible_to": names})
    ),
})  # fmt: skip
things = st.fixed_dictionaries({
    "sort": st.sampled_from([str(s) for s in Sort]),
    "at_us": times,
    "party": st.none() | st.sampled_from(PARTIES),
    "conduct": st.sampled_from(("entry", "loiter", "gap", "exit")),
    "level": st.integers(1, 3),
    "period": st.none() | st.sampled_from(("day", "month", "year")),
    "notice": st.sampled_from(("movement", "humanitarian")),
    "consented": st.none() | st.frozensets(st.sampled_from(PARTIES)),
})  # fmt: skip


def written(told: dict[str, Any]) -> Policy:
    """The agreement as a file would have it, compiled."""

    def in_text(grant: Any) -> Any:
        if not isinstance(grant, dict):
            return grant
        instants = {k.removesuffix("_us"): format_instant(v) for k, v in grant.items() if k.endswith("_us")}
        return {"sees": grant["sees"], **instants, **({"delay_s": grant["delay_s"]} if "delay_s" in grant else {})}

    return compile_policy(
        parse(
            json.dumps(
                {
                    "format": "tocsin-agreement/1",
                    "id": "a",
                    "effective": {"from": format_instant(START)},
                    "parties": told["parties"],
                    "notices": told["notices"],
                    "routing": {name: in_text(grant) for name, grant in told["routing"].items()},
                }
            )
        )
    )


@settings(max_examples=300, deadline=None)
@for_all(agreements, things, st.none() | st.sampled_from((*PARTIES, "stranger")), times)
def test_decision_is_that_of_a_naive_reading(told: dict[str, Any], thing: dict[str, Any], asker: str | None, now: int):
    told |= {
        "parties": [{"id": p} for p in PARTIES[1:]] + [{"id": "north", "speaks_for": ["militia"]}],
        "from_us": START,
    }
    policy = written(told)
    asked = Thing(**{**thing, "sort": Sort(thing["sort"]), "conduct": Conduct(thing["conduct"])})
    decision = decide(policy, asker=asker, thing=asked, now_us=now)
    assert decision.is_visible is may_see_naive(told, asker, thing, now), decision


def test_nobody_sees_anything_without_routing():
    policy = compile_policy(load(DATA / "at-tanf-2017.yaml"))
    for sort in Sort:
        for asker in ("coalition", "russia", None):
            decision = decide(policy, asker=asker, thing=Thing(sort=sort, at_us=0, party="coalition"), now_us=1)
            assert decision.reason is Reason.NO_GRANT and not decision.is_visible


def test_cable_shows_each_party_what_it_says():
    policy = compile_policy(load(DATA / "northreach-cable.yaml"))
    now = START + HOUR

    def sees(asker: str | None, **thing: Any) -> Reason:
        return decide(policy, asker=asker, thing=Thing(at_us=START, **thing), now_us=now).reason

    assert sees("authority", sort=Sort.REPORT) is Reason.ALL
    assert sees("operator", sort=Sort.EVENT, conduct=Conduct.LOITER) is Reason.KIND
    assert sees("operator", sort=Sort.EVENT, conduct=Conduct.EXIT) is Reason.NOT_ROUTED
    assert sees("operator", sort=Sort.REPORT) is Reason.NOT_ROUTED
    assert sees("operator", sort=Sort.CASE, level=3) is Reason.LEVEL
    assert sees("operator", sort=Sort.CASE, level=1) is Reason.NOT_ROUTED
    assert sees("fishers", sort=Sort.REPORT, party="fishers") is Reason.OWN
    assert sees("fishers", sort=Sort.REPORT, party="operator") is Reason.NOT_ROUTED
    assert sees(None, sort=Sort.COUNT, period="month") is Reason.PERIOD
    assert sees("traffic", sort=Sort.COUNT, period="day") is Reason.NOT_ROUTED
    gap = Thing(sort=Sort.EVENT, at_us=START, conduct=Conduct.GAP, party="fishers")
    assert seers(policy, thing=gap, now_us=now) == {"watch", "authority", "operator", "fishers"}


def test_history_from_before_the_grant_stays_hidden():
    policy = compile_policy(load(DATA / "northreach-cable.yaml"))
    early = Thing(sort=Sort.REPORT, at_us=START - 1)
    assert decide(policy, asker="authority", thing=early, now_us=START + HOUR).reason is Reason.BEFORE_GRANT


def test_more_words_never_hide_anything():
    for word in WORDS:
        few = written({"parties": [{"id": "north"}], "notices": {}, "routing": {"north": ["entry"]}})
        more = written({"parties": [{"id": "north"}], "notices": {}, "routing": {"north": ["entry", word]}})
        for sort in Sort:
            thing = Thing(sort=sort, at_us=START, conduct=Conduct.ENTRY, level=1, period="day", party="south")
            seen = decide(few, asker="north", thing=thing, now_us=START).is_visible
            assert not seen or decide(more, asker="north", thing=thing, now_us=START).is_visible


@pytest.mark.parametrize("told", ["[everything]", "{sees: all, blur: 100 m}", "[level]"])
def test_word_that_grants_nothing_known_refused_with_its_line(told: str):
    with pytest.raises(AgreementErrors, match=r"agreement\.yaml:3 \(routing\.north\)"):
        compile_policy(parse(f"format: tocsin-agreement/1\nid: a\nrouting: {{north: {told}}}\n"))


def test_own_things_are_exact_and_others_blurred():
    text = "format: tocsin-agreement/1\nid: a\nparties: [{id: north}]\nrouting: {north: {sees: all, blur: 5 km}}\n"
    policy = compile_policy(parse(text))
    own = decide(policy, asker="north", thing=Thing(sort=Sort.REPORT, at_us=0, party="north"), now_us=0)
    other = decide(policy, asker="north", thing=Thing(sort=Sort.REPORT, at_us=0, party="south"), now_us=0)
    assert (own.blur_m, other.blur_m) == (0.0, 5000.0)


@settings(max_examples=200, deadline=None)
@for_all(st.floats(-89.9, 89.9), st.floats(-180, 179.999), st.sampled_from([LEAST_BLUR_M, 1000.0, 50_000.0]))
def test_blurred_position_is_near_and_the_same_for_its_neighbours(lat: float, lon: float, blur_m: float):
    at = blurred(lat, lon, blur_m)
    distance = Geod(ellps="WGS84").inv(lon, lat, at[1], at[0])[2]
    assert distance <= 0.8 * blur_m
    again = blurred(*at, blur_m)
    assert again == pytest.approx(at, abs=1e-6)


def test_table_says_every_grant():
    rows = {row["party"]: row for row in table(compile_policy(load(DATA / "northreach-cable.yaml")))}
    assert rows["authority"] == {"party": "authority", **{str(s): "all" for s in Sort}}
    assert rows["operator"]["event"] == "entry, gap, loiter" and rows["operator"]["case"] == "level 3"
    assert (
        rows["operator"]["report"] == "–"
        and rows["public"]["count"] == "by month"
        and rows["fishers"]["report"] == "own"
    )
