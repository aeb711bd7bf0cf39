"""A column of times says what `units` says of each, and refuses what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tocsin.errors import UnitError
from tocsin.tracks.formats.columns import BUILT_IN
from tocsin.tracks.formats.times import EARLIEST_US, LATEST_US, NONE, REASONS, read_times
from tocsin.tracks.quality import RejectReason
from tocsin.units import format_instant, parse_instant_us

ISO = BUILT_IN["tocsin"]
KYIV = replace(ISO, zone="Europe/Kyiv")
DANISH = BUILT_IN["danish-ais"]


def outcome(text: str | None, rules=ISO) -> int | RejectReason:
    """Return one time's instant, or why it has none."""
    times = read_times(pa.array([text], pa.string()), rules)
    return int(times.us[0]) if times.reason[0] == NONE else REASONS[times.reason[0]]


def twin(text: str) -> int | str:
    """Return the same by `units`, one text at a time."""
    try:
        at_us = parse_instant_us(text)
    except UnitError:
        return "refused"
    return at_us if EARLIEST_US <= at_us < LATEST_US else "implausible"


def naive(year: int, month: int = 1, day: int = 1, hour: int = 0) -> datetime:
    """Return a time without a zone, which is what some of these tests are about."""
    return datetime(year, month, day, hour, tzinfo=UTC).replace(tzinfo=None)


DAYS = st.datetimes(naive(1985), naive(2105))
ZONES = st.sampled_from(["", "Z", "z", "+00:00", "+03:00", "-0330", "+23:59", "-00:30", " Z", "+3"])


@given(st.lists(st.tuples(DAYS, ZONES, st.sampled_from("T t"), st.integers(0, 9)), min_size=1, max_size=8))
def test_any_column_of_rfc3339_is_read_as_units_reads_it(rows: list[tuple[datetime, str, str, int]]) -> None:
    texts = []
    for at, zone, sep, digits in rows:
        fraction = f".{at.microsecond:06d}789"[: digits + 1] if digits else ""
        texts.append(at.strftime(f"%Y-%m-%d{sep}%H:%M:%S") + fraction + zone)
    times = read_times(pa.array(texts), ISO)
    for text, us, code in zip(texts, times.us.tolist(), times.reason, strict=True):
        expected = twin(text)
        if code == NONE:
            assert us == expected
        else:
            assert expected == ("implausible" if REASONS[code] is RejectReason.IMPLAUSIBLE_TIME else "refused")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_time"),
        ("   ", "no_time"),
        (None, "no_time"),
        ("2017-05-18", "bad_time"),
        ("14:02:00Z", "bad_time"),
        ("2017-05-18T14:02Z", "bad_time"),
        ("2017-02-29T00:00:00Z", "bad_time"),
        ("1900-02-29T00:00:00Z", "bad_time"),
        ("2017-04-31T00:00:00Z", "bad_time"),
        ("2017-05-18T24:00:00Z", "bad_time"),
        ("2017-05-18T14:02:61Z", "bad_time"),
        ("18/05/2017 14:02:00Z", "bad_time"),
        ("17-05-18T14:02:00Z", "bad_time"),
        ("2017-05-18T14:02:00", "naive_time"),
        ("1970-01-01T00:00:00Z", "implausible_time"),
        ("1980-01-06T00:00:00Z", "implausible_time"),
        ("2100-01-01T00:00:00Z", "implausible_time"),
    ],
)
def test_a_time_that_is_none_is_refused_by_reason(text: str | None, reason: str) -> None:
    assert outcome(text) == reason


def test_a_leap_second_is_the_last_microsecond_of_its_minute() -> None:
    assert outcome("2016-12-31T23:59:60Z") == parse_instant_us("2016-12-31T23:59:59.999999Z")


def test_a_date_alone_is_refused_even_if_the_whole_column_is_dates_and_the_zone_is_stated() -> None:
    times = read_times(pa.array(["2017-05-18"] * 3), replace(ISO, zone="UTC"))
    assert {REASONS[code] for code in times.reason} == {RejectReason.BAD_TIME}


def test_a_stated_zone_never_overrules_an_offset() -> None:
    assert outcome("2025-06-01T12:00:00Z", KYIV) == parse_instant_us("2025-06-01T12:00:00Z")
    assert outcome("2025-06-01T12:00:00", KYIV) == parse_instant_us("2025-06-01T12:00:00+03:00")


def test_the_hour_that_happens_twice_and_the_one_that_never_does_are_refused() -> None:
    assert outcome("2025-10-26T03:30:00", KYIV) is RejectReason.AMBIGUOUS_TIME
    assert outcome("2025-03-30T03:30:00", KYIV) is RejectReason.AMBIGUOUS_TIME
    assert outcome("2025-10-26T02:59:59", KYIV) == parse_instant_us("2025-10-26T02:59:59+03:00")
    assert outcome("2025-10-26T04:00:00", KYIV) == parse_instant_us("2025-10-26T04:00:00+02:00")


@given(st.datetimes(naive(1991), naive(2099)))
def test_a_pattern_reads_every_day_and_rolls_none_over(at: datetime) -> None:
    text = at.strftime("%d/%m/%Y %H:%M:%S")
    assert outcome(text, DANISH) == int(at.replace(tzinfo=UTC, microsecond=0).timestamp()) * 1_000_000
    rolled = f"31/0{at.month % 2 * 2 + 4}/{at.year} 00:00:00"
    assert outcome(rolled, DANISH) is RejectReason.BAD_TIME
    assert outcome(at.strftime("%m/%d/%Y %H:%M:%S").replace("/", "-"), DANISH) is RejectReason.BAD_TIME


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_and_zone_are_the_same_instant(unit: str) -> None:
    at = datetime(2020, 5, 1, 12, tzinfo=timezone(timedelta(hours=3)))
    column = pa.array([at, None], pa.timestamp(unit, tz="Europe/Kyiv"))
    times = read_times(column, ISO)
    assert times.us[0] == int(at.timestamp()) * 1_000_000
    assert REASONS[times.reason[1]] is RejectReason.NO_TIME


def test_naive_timestamps_are_refused_unless_the_zone_is_stated() -> None:
    column = pa.array([naive(2020, 5, 1, 12)], pa.timestamp("us"))
    assert REASONS[read_times(column, ISO).reason[0]] is RejectReason.NAIVE_TIME
    assert read_times(column, KYIV).us[0] == parse_instant_us("2020-05-01T12:00:00+03:00")


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["1495116120.25", "", "x", "-5", "1e9", "inf"]),
        pa.array([1495116120.25, None, np.nan, -5.0, 1e300, np.inf]),
    ],
    ids=["text", "float"],
)
def test_epochs_are_read_only_where_stated(column: pa.Array) -> None:
    times = read_times(column, replace(ISO, format="epoch_s"))
    assert times.us[0] == 1_495_116_120_250_000
    assert NONE not in times.reason[1:]
    assert NONE not in read_times(column, ISO).reason


def test_epochs_in_milliseconds_keep_them() -> None:
    assert read_times(pa.array([1495116120250]), replace(ISO, format="epoch_ms")).us[0] == 1_495_116_120_250_000


@example(-36_219_054_216_895_629)  # the year 822
@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_an_instant_is_read_back_as_it_was_written_in_every_year(at_us: int) -> None:
    written = format_instant(at_us)
    assert len(written) == len("2017-05-18T11:02:00.000000Z")
    assert parse_instant_us(written) == at_us
