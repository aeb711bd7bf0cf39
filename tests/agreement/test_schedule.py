"""Windows on the time line: the clock on the wall, changes of the clock, and the promise of Schedule."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from tests.naive_agreement import in_force_naive

from tocsin.agreement.schedule import ALWAYS_ON, Windows, schedule_of
from tocsin.agreement.terms.places import Span, Weekday, Weekly
from tocsin.errors import AgreementError, Place
from tocsin.units import format_instant, parse_instant_us

HERE = Place("a.yaml", 1)
HOUR = 3_600_000_000
DAY = 24 * HOUR


def weekly(days: str, begin: str, end: str, zone: str = "Europe/Berlin") -> Windows:
    def minutes(clock: str) -> int:
        return int(clock[:2]) * 60 + int(clock[3:])

    names = tuple(Weekday(d) for d in days.split())
    return schedule_of(
        [Weekly(days=names, from_min=minutes(begin), to_min=minutes(end), zone=zone)], zone=None, place=HERE
    )


def shown(schedule: Windows, begin: str, end: str) -> list[tuple[str, str]]:
    found = schedule.intervals_us(parse_instant_us(begin), parse_instant_us(end))
    return [(format_instant(int(a))[:16], format_instant(int(b))[:16]) for a, b in found]


def test_weekly_window_keeps_the_wall_clock_across_both_changes():
    # Berlin: +01:00 until 2024-03-31 02:00, +02:00 until 2024-10-27 03:00
    saturday_and_sunday = weekly("sat sun", "06:00", "18:00")
    assert shown(saturday_and_sunday, "2024-03-30T00:00Z".replace("Z", ":00Z"), "2024-04-01T00:00:00Z") == [
        ("2024-03-30T05:00", "2024-03-30T17:00"),
        ("2024-03-31T04:00", "2024-03-31T16:00"),
    ]
    assert shown(saturday_and_sunday, "2024-10-26T00:00:00Z", "2024-10-28T00:00:00Z") == [
        ("2024-10-26T04:00", "2024-10-26T16:00"),
        ("2024-10-27T05:00", "2024-10-27T17:00"),
    ]


def test_missing_hour_read_with_the_offset_before_and_double_hour_kept_whole():
    assert shown(weekly("sun", "02:30", "04:00"), "2024-03-31T00:00:00Z", "2024-04-01T00:00:00Z") == [
        ("2024-03-31T01:30", "2024-03-31T02:00")
    ]
    assert shown(weekly("sun", "02:15", "02:45"), "2024-10-27T00:00:00Z", "2024-10-28T00:00:00Z") == [
        ("2024-10-27T00:15", "2024-10-27T01:45")
    ]


def test_window_past_midnight_belongs_to_the_day_it_begins():
    assert shown(weekly("fri", "22:00", "02:00", "UTC"), "2024-05-03T00:00:00Z", "2024-05-05T00:00:00Z") == [
        ("2024-05-03T22:00", "2024-05-04T02:00")
    ]


def test_every_whole_day_is_always():
    days = "mon tue wed thu fri sat sun"
    assert weekly(days, "00:00", "24:00").is_always
    assert not weekly("mon tue wed thu fri sat", "00:00", "24:00").is_always
    assert ALWAYS_ON.is_always


def test_ends_are_the_true_ones_not_the_questions():
    schedule = schedule_of([Span(from_us=0, to_us=10 * DAY)], zone=None, place=HERE)
    assert schedule.intervals_us(3 * DAY, 4 * DAY).tolist() == [[0, 10 * DAY]]
    open_ended = schedule_of([Span(from_us=0)], zone=None, place=HERE)
    assert open_ended.intervals_us(3 * DAY, 4 * DAY).tolist() == [[0, 4 * DAY]]
    assert open_ended.intervals_us(-2 * DAY, -DAY).tolist() == []


def test_span_joined_with_weekly_windows_far_outside_the_question():
    span = Span(from_us=0, to_us=100 * DAY)
    mondays = Weekly(days=(Weekday.MON,), from_min=0, to_min=24 * 60, zone="UTC")
    schedule = schedule_of([span, mondays], zone=None, place=HERE)
    ((begin, end),) = schedule.intervals_us(50 * DAY, 51 * DAY).tolist()
    assert (begin, end) == (0, 100 * DAY)


@pytest.mark.parametrize(
    "window",
    [Weekly(from_min=360), Weekly(from_min=360, to_min=720), Span(from_us=2, to_us=1), "sometimes"],
)
def test_window_that_would_have_to_be_guessed_refused(window):
    with pytest.raises(AgreementError, match=r"a\.yaml:1"):
        schedule_of([window], zone=None, place=HERE)


zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "Asia/Damascus", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
weeklies = st.builds(
    lambda d, a, b, z: Weekly(days=tuple(sorted(d)), from_min=a * 15, to_min=b * 15, zone=z),
    st.sets(st.sampled_from(list(Weekday)), min_size=1),
    st.integers(0, 95),
    st.integers(0, 96),
    zones,
)
INSTANTS = st.integers(
    int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2023, 1, 1, tzinfo=UTC).timestamp())
)
spans = st.builds(lambda a, n: Span(from_us=a * 10**6, to_us=(a + n) * 10**6), INSTANTS, st.integers(1, 10**7))


@settings(max_examples=60, deadline=None)
@for_all(
    st.lists(st.one_of(weeklies, spans), min_size=1, max_size=3), INSTANTS, st.integers(1, 14 * 86_400), st.randoms()
)
def test_schedule_equals_its_naive_reading(windows, begin_s, length_s, random):
    schedule = schedule_of(windows, zone=None, place=HERE)
    begin, end = begin_s * 10**6, (begin_s + length_s) * 10**6
    found = schedule.intervals_us(begin, end)
    assert np.all(found[:, 0] < found[:, 1]) and np.all(found[1:, 0] > found[:-1, 1])
    assert np.all((found[:, 0] < end) & (found[:, 1] > begin))
    for _ in range(20):
        at = random.randrange(begin, end)
        inside = bool(np.any((found[:, 0] <= at) & (at < found[:, 1])))
        assert inside == in_force_naive(windows, at), format_instant(at)
