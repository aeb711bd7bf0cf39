"""The register: stories of notices from when they are given until they end."""

from collections import Counter

import pytest
from hypothesis import given as given_by
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.agreement.notices.given import about, checked, consent, notice, receipt, rules
from tests.agreement.notices.test_check import site

from tocsin.agreement.notices.consent import may_show, recipients
from tocsin.agreement.notices.plan import plans_of
from tocsin.agreement.notices.receipts import OPEN, LineState
from tocsin.agreement.notices.register import follow
from tocsin.agreement.notices.rules import RuleName
from tocsin.agreement.notices.standing import Standing
from tocsin.agreement.notices.words import Answer, Disposition, FactKind, Flag, Receipt
from tocsin.units import parse_instant_us

LATER = parse_instant_us("2031-07-01T00:00:00Z")
DAY_US = 86_400_000_000


def told(*items, until=LATER, under=None):
    return follow(under or rules(), sorted(items, key=lambda i: i.at_us), until_us=until)


def lines(register, name="fishers/F-1"):
    return {key: line.state for key, line in register.held[name].lines.items()}


def kinds(register):
    return Counter(fact.kind for fact in register.facts)


def dispositions(register):
    return [f.detail["disposition"] for f in register.facts if f.kind is FactKind.RECEIPT]


def humanitarian(expires_s=None):
    """Return the cable's rules with a section for sites, which it does not set."""
    rule = replace(
        rules().by_name[RuleName.MOVEMENT],
        name=RuleName.HUMANITARIAN,
        lead_s=None,
        content=(),
        expires_after_s=expires_s,
    )
    return replace(rules(), by_name={**rules().by_name, RuleName.HUMANITARIAN: rule})


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_three_receipts_in_time():
    register = told(
        notice(),
        receipt("received", "2031-06-01T08:15:00Z"),
        receipt("passed_on", "2031-06-01T08:20:00Z", unit="watch"),
        receipt("read", "2031-06-01T09:00:00Z", unit="watch"),
    )
    assert set(lines(register).values()) == {LineState.IN_TIME}
    assert FactKind.OVERDUE not in kinds(register)
    assert register.held["fishers/F-1"].reached() == {"": "received", "watch": "read"}


def test_silence_is_somebodys_alarm():
    """The convoy struck in April 2024 had been notified; nobody was told that the unit had not read it."""
    register = told(
        notice(),
        receipt("received", "2031-06-01T08:05:00Z", of="operator"),
        receipt("passed_on", "2031-06-01T08:25:00Z", unit="watch", of="authority"),
        until=parse_instant_us("2031-06-01T09:00:00.000001Z"),
    )
    (overdue,) = [f for f in register.facts if f.kind is FactKind.OVERDUE]
    assert overdue.tell == ("authority", "fishers", "operator")
    assert overdue.at_us == parse_instant_us("2031-06-01T09:00:00Z") and "reading by watch" in overdue.words
    assert register.held["fishers/F-1"].reached()["watch"] == "passed_on"


def test_a_receipt_at_its_deadline_is_in_time_and_one_microsecond_later_is_late():
    at, late = "2031-06-01T08:15:00Z", "2031-06-01T08:15:00.000001Z"
    assert dispositions(told(notice(), receipt("received", at))) == [Disposition.COUNTED]
    register = told(notice(), receipt("received", late))
    assert dispositions(register) == [Disposition.LATE]
    assert kinds(register)[FactKind.OVERDUE] == 3, "the receipt that came late had been told overdue"


def test_a_receipt_entered_late_and_dated_in_time_counts_as_dated():
    register = told(notice(), until=parse_instant_us("2031-06-01T10:00:00Z"))
    register.take(receipt("received", "2031-06-01T08:10:00Z"))
    assert dispositions(register) == [Disposition.COUNTED]
    assert lines(register)[(Receipt.RECEIVED, None)] is LineState.IN_TIME


def test_reading_overtakes_what_nobody_confirmed_and_is_not_taken_for_it():
    register = told(notice(), receipt("read", "2031-06-01T08:10:00Z", unit="watch"))
    assert lines(register) == {
        (Receipt.RECEIVED, None): LineState.OVERTAKEN,
        (Receipt.PASSED_ON, "watch"): LineState.OVERTAKEN,
        (Receipt.READ, "watch"): LineState.IN_TIME,
    }
    assert FactKind.OVERDUE not in kinds(register)


def test_every_receipt_has_its_end():
    register = told(
        notice(),
        receipt("received", "2031-06-01T07:59:59Z"),
        receipt("received", "2031-06-01T08:01:00Z"),
        receipt("received", "2031-06-01T08:02:00Z"),
        receipt("read", "2031-06-01T08:03:00Z", unit="fishers"),
        receipt("read", "2031-06-01T08:03:00Z", unit="watch", notice="F-9"),
        receipt("read", "2031-06-02T16:00:00Z", unit="watch"),
    )
    assert dispositions(register) == [
        Disposition.UNKNOWN_NOTICE,
        Disposition.COUNTED,
        Disposition.DOUBLE,
        Disposition.NOT_LISTED,
        Disposition.UNKNOWN_NOTICE,
        Disposition.AFTER_END,
    ]


def test_a_receipt_dated_before_its_notice_counts_for_nothing():
    register = told(notice())
    register.take(receipt("received", "2031-06-01T07:00:00Z"))
    assert dispositions(register) == [Disposition.BEFORE_NOTICE]


RECEIPTS = [("received", None), ("passed_on", "watch"), ("read", "watch"), ("read", "stranger")]


@given_by(st.lists(st.tuples(st.sampled_from(RECEIPTS), st.integers(-10, 200)), max_size=12))
def test_every_line_ends_as_a_plain_reading_of_the_receipts_says(steps):
    """The naive twin: first dated receipt of a line against its deadline; whatever else came in between."""
    base = parse_instant_us("2031-06-01T08:00:00Z")
    items = [replace(receipt(kind, "2031-06-01T08:00:00Z", unit=unit), at_us=base + n * 60_000_000)
             for (kind, unit), n in steps]  # fmt: skip
    register = follow(rules(), [notice(), *sorted(items, key=lambda i: i.at_us)], until_us=base + DAY_US)
    for key, within in (
        ((Receipt.RECEIVED, None), 15),
        ((Receipt.PASSED_ON, "watch"), 30),
        ((Receipt.READ, "watch"), 60),
    ):
        came = sorted(n for (kind, unit), n in steps if (kind, unit) == (str(key[0]), key[1]) and n >= 0)
        state = register.held["fishers/F-1"].lines[key].state
        if came:
            assert state is (LineState.IN_TIME if came[0] <= within else LineState.IN_LATE)
        else:
            assert state in (LineState.OVERDUE, LineState.OVERTAKEN)
        told_overdue = [f for f in register.facts if f.kind is FactKind.OVERDUE and f.detail["receipt"] == key[0]]
        assert len(told_overdue) <= 1
    assert len(dispositions(register)) == len(steps)


# --- successors -------------------------------------------------------------------------------------------------------


def test_a_change_is_a_successor_and_its_receipts_are_owed_anew():
    change = notice(
        reference="F-2", act="change", replaces="F-1", given_at="2031-06-01T09:30:00Z", content={"gear": "nets"}
    )
    register = told(notice(), receipt("read", "2031-06-01T08:10:00Z", unit="watch"), change)
    old, new = register.held["fishers/F-1"], register.held["fishers/F-2"]
    assert (old.standing, old.successor, new.predecessor) == (Standing.REPLACED, "fishers/F-2", "fishers/F-1")
    assert old.notice.content == {"gear": "pots"}, "a notice is never edited"
    assert not new.flags, "the one it replaces is no duplicate of it"
    assert sum(f.notice == "fishers/F-2" for f in register.facts if f.kind is FactKind.OVERDUE) == 3


def test_a_change_under_the_same_reference_keeps_both_and_is_found_by_it():
    change = notice(act="change", replaces="F-1", given_at="2031-06-01T09:00:00Z", content={"gear": "nets"})
    again = notice(act="change", replaces="F-1", given_at="2031-06-01T09:10:00Z", content={"gear": "lines"})
    register = told(notice(), change, again)
    assert [h.notice.reference for h in register.held.values()] == ["F-1", "F-1~2", "F-1~3"]
    assert [h.standing for h in register.held.values()] == [Standing.REPLACED, Standing.REPLACED, Standing.OVER]
    assert not any(h.flags for h in register.held.values())


def test_a_reading_of_the_old_version_is_no_reading_of_the_new_one():
    change = notice(act="change", replaces="F-1", given_at="2031-06-01T08:20:00Z", content={"gear": "nets"})
    register = told(notice(), change, receipt("read", "2031-06-01T08:30:00Z", unit="watch"))
    assert lines(register, "fishers/F-1~2")[(Receipt.READ, "watch")] not in (LineState.IN_TIME, LineState.IN_LATE)


def test_a_change_of_nothing_known_is_a_notice_of_its_own():
    register = told(notice(act="change", replaces="F-0"))
    (held,) = register.held.values()
    assert [f.flag for f in held.flags] == [Flag.SUCCEEDS_UNKNOWN] and held.standing is Standing.OVER


def test_a_cancellation_ends_it_and_must_be_read_too():
    register = told(notice(), about("cancel", "F-1", "2031-06-01T12:00:00Z", reference="F-1c"))
    assert register.held["fishers/F-1"].standing is Standing.CANCELLED
    assert not OPEN & set(lines(register).values())
    assert set(lines(register, "fishers/F-1c").values()) == {LineState.OVERDUE}


def test_what_cannot_be_done_is_refused_with_its_reason():
    register = told(
        notice(),
        about("cancel", "F-1", "2031-06-01T12:00:00Z"),
        about("cancel", "F-1", "2031-06-01T12:30:00Z"),
        about("confirm", "F-7", "2031-06-01T13:00:00Z"),
        consent("watch", "2031-06-01T13:00:00Z", notice="F-8"),
        checked("verified", "2031-06-01T13:00:00Z", notice="F-8"),
    )
    refused = [f.words for f in register.facts if f.kind is FactKind.REFUSED]
    assert (
        len(refused) == 4 and "is cancelled cannot be cancelled" in refused[0] and "F-7 names no notice" in refused[1]
    )


def test_nobody_ends_the_notice_of_another_party_but_who_speaks_for_it():
    other = about("cancel", "F-1", "2031-06-01T12:00:00Z", party="operator")
    register = told(notice(), other)
    assert register.held["fishers/F-1"].standing is Standing.OVER
    speaking = replace(rules(), speaks_for={"operator": frozenset({"operator", "fishers"})})
    assert told(notice(), other, under=speaking).held["fishers/F-1"].standing is Standing.CANCELLED


def test_the_same_content_twice_is_counted_and_the_first_stands():
    again = notice(reference="F-2", given_at="2031-06-01T09:00:00Z")
    register = told(notice(), again, receipt("received", "2031-06-01T09:05:00Z", notice="F-2"))
    assert list(register.held) == ["fishers/F-1"] and kinds(register)[FactKind.DUPLICATE] == 1
    assert dispositions(register) == [Disposition.LATE], "the second name is known, and means the first"


def test_a_reference_used_twice_is_flagged_and_nothing_is_dropped():
    other = notice(content={"gear": "nets"}, given_at="2031-06-01T09:00:00Z")
    register = told(notice(), other)
    assert list(register.held) == ["fishers/F-1", "fishers/F-1~2"]
    found = [f.flag for f in register.held["fishers/F-1~2"].flags]
    assert found == [Flag.REFERENCE_AGAIN, Flag.NEAR_DUPLICATE]


# --- expiry, verification, consent ------------------------------------------------------------------------------------


def test_a_site_expires_unless_it_is_confirmed_and_the_giver_is_asked_before():
    under = humanitarian(expires_s=10 * 86_400)
    start = site(given_at="2031-06-01T00:00:00Z", **{"from": None, "to": None})
    register = told(start, until=parse_instant_us("2031-06-20T00:00:00Z"), under=under)
    soon = next(f for f in register.facts if f.kind is FactKind.EXPIRES_SOON)
    assert (soon.at_us - start.at_us) / DAY_US == 9 and soon.tell == ("fishers",)
    assert register.held["fishers/F-1"].standing is Standing.EXPIRED
    assert "as protected as before" in register.facts[-1].words
    again = told(start, about("confirm", "F-1", "2031-06-09T00:00:00Z"), until=start.at_us + 17 * DAY_US, under=under)
    assert again.held["fishers/F-1"].standing is Standing.STANDING
    assert again.held["fishers/F-1"].expires_us(under.by_name[RuleName.HUMANITARIAN]) == start.at_us + 18 * DAY_US


def test_an_expired_notice_is_shown_to_nobody_until_it_is_confirmed():
    under = humanitarian(expires_s=10 * 86_400)
    start = site(given_at="2031-06-01T00:00:00Z", **{"from": None, "to": None})
    yes = consent("watch", "2031-06-01T01:00:00Z")
    register = told(start, yes, until=start.at_us + 11 * DAY_US, under=under)
    assert may_show(register, "fishers/F-1", to="watch", now_us=start.at_us + 11 * DAY_US) is Answer.EXPIRED
    register.take(about("confirm", "F-1", "2031-06-13T00:00:00Z"))
    assert may_show(register, "fishers/F-1", to="watch", now_us=start.at_us + 12 * DAY_US) is Answer.CONSENT


def test_a_site_without_an_end_is_flagged():
    register = told(site(**{"from": None, "to": None}), under=humanitarian())
    assert Flag.NO_EXPIRY in {f.flag for f in register.held["fishers/F-1"].flags}


def test_verification_is_said_by_whom_and_how_and_the_newest_counts():
    register = told(
        site(),
        checked("verified", "2031-06-01T10:00:00Z", method="visit", verifier="NMA"),
        checked("doubted", "2031-06-01T11:00:00Z", method="imagery", verifier="panel"),
        under=humanitarian(),
    )
    held = register.held["fishers/F-1"]
    assert held.checked.status == "doubted" and [v.verifier for v in held.verifications] == ["NMA", "panel"]


def test_a_site_is_shown_on_consent_recorded_before_and_to_nobody_else():
    """Lists of protected sites went to whoever asked, and sites on them were struck."""
    register = told(
        site(),
        consent("watch", "2031-06-01T10:00:00Z", until="2031-06-03T00:00:00Z"),
        consent("operator", "2031-06-01T10:00:00Z"),
        consent("operator", "2031-06-02T10:00:00Z", taken_back=True),
        under=humanitarian(),
        until=parse_instant_us("2031-06-02T12:00:00Z"),
    )
    cases = [
        ("watch", "2031-06-01T09:59:59Z", Answer.NO_CONSENT),
        ("watch", "2031-06-01T10:00:00Z", Answer.CONSENT),
        ("watch", "2031-06-03T00:00:00Z", Answer.CONSENT_ENDED),
        ("operator", "2031-06-02T09:00:00Z", Answer.CONSENT),
        ("operator", "2031-06-02T10:00:00Z", Answer.TAKEN_BACK),
        ("authority", "2031-06-02T10:00:00Z", Answer.NO_CONSENT),
        ("fishers", "2031-06-01T09:00:00Z", Answer.OWN),
    ]
    for to, at, expected in cases:
        assert may_show(register, "fishers/F-1", to=to, now_us=parse_instant_us(at)) is expected
    assert may_show(register, "fishers/F-9", to="watch", now_us=LATER) is Answer.UNKNOWN_NOTICE


def test_a_movement_goes_to_the_agreements_list_unless_its_giver_narrows_it():
    at = parse_instant_us("2031-06-01T12:00:00Z")
    open_one = told(notice(), until=at)
    assert recipients(open_one.held["fishers/F-1"], rules(), now_us=at) == {"fishers", "watch"}
    told_consents = [{"to": "authority", "by": "x", "at": "2031-06-01T08:00:00Z"}]
    narrow = told(notice(consents=told_consents), until=at)
    assert recipients(narrow.held["fishers/F-1"], rules(), now_us=at) == {"fishers", "authority"}


def test_a_withdrawal_takes_back_every_version():
    change = notice(act="change", replaces="F-1", given_at="2031-06-01T09:00:00Z", content={"gear": "nets"})
    register = told(notice(), change, about("withdraw", "F-1", "2031-06-01T10:00:00Z", reference="F-w"))
    at = parse_instant_us("2031-06-01T11:00:00Z")
    for name in ("fishers/F-1", "fishers/F-1~2"):
        assert may_show(register, name, to="watch", now_us=at) is Answer.WITHDRAWN
        assert may_show(register, name, to="fishers", now_us=at) is Answer.OWN


# --- plans ------------------------------------------------------------------------------------------------------------


def test_a_late_notice_is_followed_and_quiets_nothing():
    (plan,) = plans_of(told(notice(given_at="2031-06-02T09:30:00Z")))
    assert not plan.covers and plan.known_us == parse_instant_us("2031-06-02T09:30:00Z")


def test_plans_end_where_the_notice_did():
    change = notice(
        reference="F-2", act="change", replaces="F-1", given_at="2031-06-02T12:00:00Z", content={"gear": "n"}
    )
    old, new = plans_of(told(notice(), change))
    assert (old.to_us, old.own_end) == (parse_instant_us("2031-06-02T12:00:00Z"), False)
    assert (new.known_us, new.own_end) == (parse_instant_us("2031-06-02T12:00:00Z"), True)


@pytest.mark.parametrize("changed", [{"movers": [{"name": "Havorn"}]}, {"to": None}, {"route": None}])
def test_what_the_watch_cannot_follow_makes_no_plan(changed):
    assert not plans_of(told(notice(**changed)))


def test_facts_have_one_order_and_are_canonical_lines():
    change = notice(
        reference="F-2", act="change", replaces="F-1", given_at="2031-06-01T09:30:00Z", content={"gear": "nets"}
    )
    facts = told(notice(), change).facts
    assert [f.at_us for f in facts] == sorted(f.at_us for f in facts)
    assert all(f.as_line().endswith(b"}\n") for f in facts)
