"""The numbers in the examples' READMEs are those that the watch finds."""

import re
from collections import Counter
from pathlib import Path

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.load import load
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.formats.columns import load_columns
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event
from tocsin.watch.replay import replay

EXAMPLES = Path(__file__).parents[2] / "examples"


def events_of(agreement: str, tracks: str, columns: str | None = None) -> list[Event]:
    archive = read_tracks([EXAMPLES / tracks], columns=load_columns(EXAMPLES / columns) if columns else None)
    engine = Engine(compile_watchlist(load(EXAMPLES / agreement)))
    return list(replay(engine, archive.reports)[0])


def test_us_coast_finds_what_its_readme_counts() -> None:
    # Fault: a page that still tells of what an older watch found.
    found = events_of("us-coast/agreement.yaml", "us-coast/tracks.parquet", "us-coast/columns.yaml")
    page = " ".join((EXAMPLES / "us-coast/README.md").read_text(encoding="utf-8").split())
    told = re.search(
        r"(\d+) events: (\d+) entries, (\d+) exits, (\d+) passages between two reports, (\d+) approaches"
        r" \((\d+) of which ended\), (\d+) ships at rest, (\d+) silence, and (\d+) ships that were inside",
        page,
    )
    assert told is not None
    kinds = Counter(event.kind.value for event in found)
    counted = ["entry", "exit", "crossing", "approach", "approach_ended", "loiter", "gap", "first_seen_inside"]
    assert list(map(int, told.groups())) == [len(found), *(kinds[kind] for kind in counted)]


def test_at_tanf_finds_what_its_readme_counts() -> None:
    # Fault: as above; and the instants that the page gives for events of the watch alone.
    found = events_of("at-tanf/with-mechanisms.yaml", "at-tanf/tracks.csv")
    page = (EXAMPLES / "at-tanf/README.md").read_text(encoding="utf-8")
    assert f"In all: {len(found)} events," in page
    known = {(event.track_id.removeprefix("dev:sim-"), event.kind.value): event for event in found}
    for track, kind in [
        ("convoy-1", "probing"),
        ("convoy-1", "stopped"),
        ("pickup-2", "gap"),
        ("pickup-2", "gap_ended"),
    ]:
        moment = known[track, kind].at_us // 1_000_000 % 86_400
        assert f"{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}" in page, (track, kind)
    drone = [event for event in found if event.track_id == "dev:sim-drone-1"]
    assert [(event.zone_id, event.kind.value) for event in drone] == [("air", "entry"), ("air", "exit")]
