"""A rehearsal over six ships made by hand: four turn back before the cable, two go on; and over a recorded coast."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tocsin.agreement.findings.readiness import Use
from tocsin.agreement.visible import Sort, Thing, compile_policy, decide
from tocsin.agreement.watchlist import Conduct
from tocsin.rehearsal.run import Draft, Rehearsal, rehearse
from tocsin.rehearsal.wolf import budget_of, nuisances, passed
from tocsin.rehearsal.words import as_json, format_json, format_text, warnings_table
from tocsin.serve.rehearsed import render_rehearsal, track_verdicts
from tocsin.tracks.formats.columns import load_columns
from tocsin.watch.event import EventKind

DATA = Path(__file__).parents[1] / "data" / "agreements"
COAST = Path(__file__).parents[2] / "examples" / "us-coast"
EDGE_DEG, KNOT_DEG = 57.106, 2.5 * 60 / 111_320
"""Where the guard begins at 5.6° E, and how far north a ship of 5 kn gets in a minute."""


def sailing(folder: Path, *, day: str = "2031-06-03", goes_on: int = 2, turns: int = 4) -> Path:
    """Write ships that come from the south, one an hour; the first go on, the others turn back 2.2 km before."""
    lines = ["track_id,observed,lat_deg,lon_deg,party"]
    for ship in range(goes_on + turns):
        lat, northward = EDGE_DEG - 0.09, True
        for minute in range(150):
            hour, rest = divmod(60 * ship + minute, 60)
            lines.append(f"dev:ship{ship},{day}T{hour:02d}:{rest:02d}:00Z,{lat:.6f},{5.6 + 0.01 * ship:.6f},")
            northward = northward and (ship < goes_on or lat < EDGE_DEG - 0.02)
            lat += KNOT_DEG if northward else -KNOT_DEG
    path = folder / "ships.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def drafted(folder: Path, extra: str = "") -> Path:
    path = folder / "draft.yaml"
    path.write_text((DATA / "northreach-cable.yaml").read_text() + extra)
    (folder / "northreach-cable.geojson").write_bytes((DATA / "northreach-cable.geojson").read_bytes())
    return path


@pytest.fixture(scope="module")
def ships(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    folder = tmp_path_factory.mktemp("ships")
    return rehearse(Draft(agreement=drafted(folder), tracks=[sailing(folder)]))


@pytest.fixture(scope="module")
def coast() -> Rehearsal:
    columns = load_columns(COAST / "columns.yaml")
    return rehearse(Draft(agreement=COAST / "agreement.yaml", tracks=[COAST / "tracks.parquet"], columns=columns))


def test_ships_that_turn_back_are_false_warnings_and_those_that_go_on_right_ones(ships):
    whole = next(w for w in ships.worth if w.zone_id is None)
    assert whole.horizon_s == 1_800
    assert whole.figures.counts["right"] == 2 and whole.figures.counts["false"] == 4
    assert whole.figures.recall == 1.0 and whole.figures.precision == pytest.approx(1 / 3)
    low, high = whole.intervals["precision"]
    assert 0.0 <= low < 1 / 3 < high <= 1.0


def test_zone_that_cries_wolf_is_named_and_the_draft_is_not_called_ready(ships):
    (zone, *_) = ships.nuisances
    assert (zone.zone_id, zone.warnings, zone.false, zone.others) == ("guard", 6, 4, 4)
    assert any("cried wolf: 4 of 6" in why for why in ships.refusals)
    (warn,) = (r for r in ships.readiness if r.use is Use.WARN)
    assert not warn.is_ready and set(ships.refusals) <= set(warn.refusals)


def test_budget_of_the_agreement_is_the_one_that_counts(ships, tmp_path):
    own = rehearse(
        Draft(
            agreement=drafted(tmp_path, "alarm_budget: {operators: 2, false_percent: 70}\n"),
            tracks=[sailing(tmp_path)],
        )
    )
    assert own.budget.agreed == {"operators", "false_percent"} and own.refusals == ()
    assert own.burden.per_operator_hour == pytest.approx(ships.burden.per_operator_hour / 2)
    assert passed(replace(own.budget, false_percent=66), own.burden) != ()


def test_what_happens_outside_the_agreements_time_is_neither_warned_of_nor_missed(tmp_path):
    late = rehearse(Draft(agreement=drafted(tmp_path), tracks=[sailing(tmp_path, day="2033-06-03", turns=0)]))
    (whole,) = (w for w in late.worth if w.zone_id is None)
    assert whole.figures.eligible == 0 and sum(whole.figures.counts.values()) == 0 and late.burden.alarms == 0


def test_mover_is_told_by_every_channel_and_each_party_shown_what_the_routing_says(ships):
    told = {t.recipient: t for t in ships.told}
    approaches = [e for e in ships.events if e.kind is EventKind.APPROACH]
    first = [m.level for c in ships.cases for m in c.messages if m.recipient == "mover" and m.saying == 0]
    assert first.count(1) == 3 * len({e.track_id for e in approaches}) == 18  # three channels, six ships
    assert told["mover"].at_conduct == first.count(1) + first.count(2)
    policy = compile_policy(ships.agreement)
    for name, line in told.items():
        if name in policy.owns:
            seen = [
                decide(
                    policy,
                    asker=name,
                    thing=Thing(sort=Sort.EVENT, at_us=e.known_us, party=e.party, conduct=Conduct.APPROACH),
                    now_us=e.known_us,
                ).is_visible
                for e in approaches
            ]
            assert line.shown.get("approach", 0) == sum(seen)
    assert told["authority"].shown["approach"] == 6 and "approach" not in told["operator"].shown


def test_track_is_coloured_by_the_gravest_of_its_warnings(ships):
    assert [str(track_verdicts(ships)[f"dev:ship{n}"]) for n in range(6)] == ["acknowledged"] * 2 + ["unanswered"] * 4


def test_alarms_are_the_levels_that_a_conduct_begins(coast):
    own = {v.level for v in coast.playbook.levels if hasattr(v.trigger, "conduct")}
    rungs = [r for c in coast.cases for r in c.rungs if r.purpose == "warning" and r.level in own]
    assert coast.burden.alarms == len(rungs) > 0
    assert coast.burden.per_operator_hour == pytest.approx(len(rungs) / coast.burden.hours)


def test_nuisances_of_a_recorded_coast_are_counted_as_a_slow_reader_would(coast):
    rows = [r for r in warnings_table(coast).to_pylist() if r["class"] in ("right", "early", "near", "false")]
    for nuisance in nuisances(coast.streams, coast.watchlist):
        key, name = ("zone_id", nuisance.zone_id) if nuisance.zone_id else ("track_id", nuisance.track_id)
        mine = [r for r in rows if r[key] == name]
        assert nuisance.warnings == len(mine)
        assert nuisance.false == sum(r["class"] == "false" for r in mine) >= len(mine) / 2
    assert coast.burden.warnings == len(rows)


def test_words_page_and_table_agree(coast):
    told = json.loads(format_json(coast))
    assert told == json.loads(json.dumps(as_json(coast)))
    assert told["ready"] is coast.is_ready is False
    assert [r["ready"] for r in told["readiness"]] == [True, False, True]
    text, page = format_text(coast), render_rehearsal(coast)
    for why in coast.refusals:
        assert why in text and why in page
    table = warnings_table(coast)
    assert table.num_rows == sum(sum(w["counts"].values()) for w in told["figures"] if w["zone"] is None)
    assert table["predicted_entry_t"].null_count == 0


def test_budget_left_blank_is_what_one_person_manages(coast):
    assert budget_of(coast.agreement) == coast.budget
    assert (coast.budget.operators, coast.budget.per_hour, coast.budget.in_ten_min) == (1, 12, 10)
