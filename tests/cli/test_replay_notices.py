"""A replay with notices: events marked, receipts followed, excursions found, all of it in a record that verifies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tocsin.record.verifier.verify import verify_folder
from tocsin.serve.replayed import write_replay_report
from tocsin.station.replay.replay import Job, replay

CABLE = Path(__file__).parents[1] / "data" / "agreements" / "northreach-cable.yaml"
HEADER = "track_id,observed,lat_deg,lon_deg,party\n"
ROWS = "".join(
    f"mmsi:25700000{ship},2031-06-02T10:{minute:02}:00Z,{57.19 - 0.004 * minute:.4f},{lon},fishers\n"
    for minute in range(0, 48, 2)
    for ship, lon in ((1, 5.42), (2, 5.60))
)
"""Two fishing boats go south across the cable; the first has given notice of its way."""

NOTICE = {
    "reference": "F-1",
    "party": "fishers",
    "given_by": "duty desk",
    "given_at": "2031-06-01T08:00:00Z",
    "movers": [{"track": "mmsi:257000001", "category": "fishing"}],
    "route": {
        "line": [{"lat_deg": 57.20, "lon_deg": 5.42}, {"lat_deg": 57.00, "lon_deg": 5.42}],
        "half_width": "500 m",
    },
    "from": "2031-06-02T10:00:00Z",
    "to": "2031-06-02T16:00:00Z",
    "content": {"gear": "pots"},
}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    (folder / "tracks.csv").write_text(HEADER + ROWS)
    (folder / "notices.jsonl").write_text(json.dumps({"notice": NOTICE}) + '\n{"notice": 5}\n')
    job = Job(agreement=CABLE, tracks=[folder / "tracks.csv"], out=folder / "out", notices=folder / "notices.jsonl")
    return replay(job)


def lines(replayed, name):
    return [json.loads(line) for line in (replayed.job.out / name).read_text().splitlines()]


def test_only_the_notified_track_carries_the_notice(replayed):
    marks = {(e["track"], e["exemption"]) for e in lines(replayed, "events.jsonl") if e["kind"] == "entry"}
    assert marks == {("mmsi:257000001", "notice:fishers/F-1"), ("mmsi:257000002", None)}


def test_what_came_of_notices_is_written_and_counted(replayed):
    facts = [fact["fact"] for fact in lines(replayed, "notices.jsonl")]
    assert facts.count("notice") == 1 and facts.count("overdue") == 3
    (refused,) = lines(replayed, "notices_refused.jsonl")
    assert refused["place"].startswith("notices.jsonl:2")
    (kept,) = lines(replayed, "conformance.jsonl")
    assert kept["seen"] and not kept["over"]


def test_the_record_holds_them_and_verifies(replayed):
    verified = verify_folder(replayed.job.out / "record")
    sent = [m for m in lines(replayed, "messages.jsonl") if m["subject"].startswith("Notice ")]
    assert [m["recipient"] for m in sent] == ["fishers"] * 3, "its giver, of each receipt that is overdue"
    assert verified.kinds["notice"] == len(lines(replayed, "notices.jsonl")) + 1 + 2 * len(sent)


def test_the_report_shows_each_notice_with_its_receipts_and_its_movers(replayed):
    write_replay_report(replayed, replayed.job.out / "report.html")
    page = (replayed.job.out / "report.html").read_text()
    section = page[page.index('id="notices"') : page.index('id="unwatched"')]
    assert "fishers/F-1" in section and section.count("overdue") == 3 and "kept to it" in section
    assert "read by watch" in section and "told of by notice fishers/F-1" in page
