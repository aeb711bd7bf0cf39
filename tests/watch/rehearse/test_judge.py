"""Classes of warnings: one hand-made case each, a naive twin, and what a warnings table may hold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from tests.naive_rehearse import Walk, verdict
from tests.watch.rehearse.stage import SQUARE, START_US, Path, reports, seconds, warnings

from tocsin.watch.rehearse.judge import CLASSES, WARNING_SCHEMA, Class, Judged, Warnings, judge
from tocsin.watch.rehearse.truth import NEVER, Terms, find_truth

TERMS = Terms(eps_m=40.0, clear_s=300.0, gap_s=600.0, interval_s=20.0)


def way(*stops: tuple[float, float, float]) -> Path:
    """Fixes every 20 s along stops of (second, metres east, metres north)."""
    t = np.arange(stops[0][0], stops[-1][0] + 1, 20.0)
    at, x, y = zip(*stops, strict=True)
    return [(float(a), float(b), float(c)) for a, b, c in zip(t, np.interp(t, at, x), np.interp(t, at, y), strict=True)]


def verdicts(path: Path, *at_s: float, h: float = 300.0) -> list[Class]:
    judged = judged_on(path, *at_s, h=h)
    return [CLASSES[v] for v in judged.verdict]


def judged_on(path: Path, *at_s: float, h: float = 300.0) -> Judged:
    truth = find_truth(reports({"t": path}), [SQUARE], TERMS)
    return judge(truth, warnings(*((0, 0, t, h) for t in at_s)), h)


IN = way((0, -21_000, 0), (2_100, 0, 0), (3_000, 0, 0))
"""Enters at second 2,000."""


def test_entry_within_the_horizon_is_right_and_the_next_warning_of_it_a_repeat() -> None:
    assert verdicts(IN, 1_750, 1_900) == [Class.RIGHT, Class.REPEAT]


def test_patience_is_a_tenth_of_the_horizon_and_one_interval() -> None:
    assert verdicts(IN, 1_651) == [Class.RIGHT]
    assert verdicts(IN, 1_648) == [Class.EARLY]


def test_entry_within_three_horizons_is_early_and_later_false() -> None:
    assert verdicts(IN, 1_101, 1_099) == [Class.FALSE, Class.EARLY]  # by time: 1,099 first


def test_first_warning_within_patience_is_right_after_an_early_one() -> None:
    assert verdicts(IN, 1_400, 1_800) == [Class.EARLY, Class.RIGHT]


def test_near_is_within_three_bands_or_a_twentieth_of_the_distance() -> None:
    assert verdicts(way((0, -2_500, 1_110), (2_000, 2_000, 1_110)), 500) == [Class.NEAR]
    assert verdicts(way((0, -2_500, 1_130), (2_000, 2_000, 1_130)), 500) == [Class.FALSE]
    far = way((0, -9_000, 1_300), (300, 0, 1_300), (600, 9_000, 1_300))
    assert verdicts(far, 1) == [Class.NEAR]  # 300 m off, warned at 8 km


def test_near_between_two_fixes_is_seen() -> None:
    assert verdicts([(0, -1_300, -1_300), (400, 1_300, -1_050), (900, 3_000, -3_000)], 1) == [Class.NEAR]


def test_touching_the_edge_is_left_out() -> None:
    assert verdicts(way((0, -2_500, 1_020), (2_000, 2_000, 1_020)), 500) == [Class.GRAZE]


def test_track_that_ends_before_the_answer_is_left_out() -> None:
    path = way((0, -9_000, 0), (500, -4_000, 0))
    assert verdicts(path, 100, 200) == [Class.FALSE, Class.CENSORED]
    assert verdicts(path, 600) == [Class.CENSORED]  # said in a silence


def test_warning_inside_or_just_after_leaving_is_left_out() -> None:
    path = way((0, -3_000, 0), (300, 0, 0), (500, -2_000, 0), (2_000, -2_500, 0))
    assert verdicts(path, 250, 500, 690, 710) == [Class.IDLE, Class.IDLE, Class.IDLE, Class.FALSE]


def test_horizon_that_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="expected more than 0"):
        judged_on(IN, 100, h=0.0)


@pytest.mark.parametrize("seed", range(4))
def test_random_warnings_have_the_verdict_of_the_naive_twin(seed: int) -> None:
    random = np.random.default_rng(100 + seed)
    t, x, y = [0.0], [-1_500.0], [0.0]
    for _ in range(80):
        t.append(t[-1] + float(random.choice([10, 20, 60])))
        x.append(float(x[-1] * 0.9 + random.normal(0, 500)))
        y.append(float(y[-1] * 0.9 + random.normal(0, 500)))
    walk, corners = Walk(t, x, y), [(-1_000, -1_000), (1_000, -1_000), (1_000, 1_000), (-1_000, 1_000)]
    at = np.sort(random.uniform(0, t[-1], 60)).round(1)
    truth = find_truth(
        reports({"t": list(zip(t, x, y, strict=True))}), [SQUARE],
        Terms(eps_m=40.0, clear_s=60.0, gap_s=600.0, interval_s=20.0),
    )  # fmt: skip
    judged = judge(truth, warnings(*((0, 0, s, 60.0) for s in at)), 60.0)
    for i, said in enumerate(seconds(judged.warnings.at_us)):
        twin = verdict(
            walk, shapely.Polygon(corners), at=float(said), h=60.0, eps=float(truth.eps_m[0]), clear=60.0, interval=20.0
        )
        mine = CLASSES[judged.verdict[i]]
        assert ("right" if mine is Class.REPEAT else mine) == twin, f"at {said}"


def test_table_of_warnings_is_read_with_and_without_its_optional_columns() -> None:
    table = pa.table(
        {
            "track_id": ["b", "a"],
            "zone_id": ["z", "z"],
            "t_issued": pa.array([START_US, START_US + 1], pa.timestamp("us", tz="UTC")),
            "horizon_s": [60.0, 300.0],
        }
    )
    read = Warnings.from_table(table, tracks=("a", "b"), zones=("z",))
    assert read.track.tolist() == [1, 0]
    assert read.at_us.tolist() == [START_US, START_US + 1]
    assert np.isnan(read.probability).all()
    assert (read.lo_us == NEVER).all()
    read = Warnings.from_table(table.append_column("probability", pa.array([0.5, None])), tracks="ab", zones="z")
    assert read.probability[0] == 0.5
    assert np.isnan(read.probability[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(["t_issued"]), "found no column t_issued"),
        (lambda t: t.set_column(0, "track_id", pa.array(["nobody"])), "track 'nobody'"),
        (lambda t: t.set_column(3, "horizon_s", pa.array([None], pa.float64())), "nulls in horizon_s"),
    ],
)
def test_table_of_warnings_that_cannot_be_judged_is_refused(change, message: str) -> None:
    table = WARNING_SCHEMA.empty_table().to_pydict()
    table |= {"track_id": ["a"], "zone_id": ["z"], "t_issued": [START_US], "horizon_s": [60.0]}
    good = pa.table({k: pa.array(v, WARNING_SCHEMA.field(k).type) for k, v in table.items() if v})
    with pytest.raises(ValueError, match=message):
        Warnings.from_table(change(good), tracks=("a",), zones=("z",))
