"""A replay over a change of the agreement: each version is watched in its own time; all of it is in the record."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tocsin.agreement.load import load
from tocsin.agreement.versions.signatures import What, sign, statement_of
from tocsin.cli import app
from tocsin.errors import AgreementError, SettingError, VerificationError
from tocsin.record.keys import create_key, load_key
from tocsin.record.verifier.verify import verify_folder
from tocsin.station.replay.chronicle import entries_of
from tocsin.station.replay.replay import Job, replay
from tocsin.units import parse_instant_us

HEAD = "track_id,observed,lat_deg,lon_deg\n"
ROWS = "".join(f"dev:a,2031-06-02T{hour:02}:{minute:02}:00Z,10.0,20.0\n" for hour in (10, 11) for minute in range(60))
"""One mover stands still at the centre for two hours; the change comes at 11:00:30."""
CHANGE = "2031-06-02T11:00:30Z"


def text(version: int, radius: str, begins: str, signed: bool = False, routing: str = "all") -> str:
    consent = '{state: signed, on: "2031-04-02"}' if signed else "{state: declared, by: north, source: S1}"
    return f"""
format: tocsin-agreement/1
id: valley
version: {version}
effective: {{from: "{begins}", to: "2032-01-01T00:00:00Z"}}
parties: [{{id: north, consent: {consent}}}]
zones: [{{id: ring, kind: stand_off, geometry: {{circle: {{centre: {{lat_deg: 10, lon_deg: 20}}, radius: {radius}}}}}}}]
channels: [{{id: radio, kind: radio, to: vehicle}}]
ladder:
  - {{level: 1, trigger: {{event: entry, zone: ring}}, tell: [vehicle], channels: [radio], text: T, ack_within: PT2M,
      repeat: {{times: 1, every: PT2M}}, on_no_ack: next}}
texts: {{T: "You are inside version {version}."}}
end_of_ladder: {{who: duty officer, decides: human, software: never}}
routing: {{north: {routing}}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "v1.yaml").write_text(text(1, "5 km", "2031-05-01T00:00:00Z"))
    (tmp_path / "versions" / "v2.yaml").write_text(text(2, "4 km", CHANGE))
    (tmp_path / "tracks.csv").write_text(HEAD + ROWS)
    return tmp_path


def job(folder, agreement="versions", **more) -> Job:
    return Job(agreement=folder / agreement, tracks=[folder / "tracks.csv"], out=folder / "out", **more)


def lines(folder, name="events.jsonl"):
    return [json.loads(line) for line in (folder / "out" / name).read_text().splitlines()]


def test_the_text_moved_and_not_the_mover(folder):
    replay(job(folder))
    told = [(e["kind"], e["agreement"]["version"], e["at"][11:19]) for e in lines(folder)]
    assert told == [("first_seen_inside", 1, "10:00:00")]
    (folder / "versions" / "v2.yaml").write_text(text(2, "4 km", CHANGE).replace("ring", "other_ring"))
    replayed = replay(job(folder))
    told = [(e["kind"], e["agreement"]["version"], e["at"][11:19]) for e in lines(folder)]
    assert told[0] == ("first_seen_inside", 1, "10:00:00")
    assert sorted(told[1:]) == [("zone_began", 2, "11:00:30"), ("zone_ended", 1, "11:00:30")]
    assert replayed.events.table()["event_id"].to_pylist() == [e["event_id"] for e in lines(folder)]
    assert [c.from_us for c in replayed.chapters] == [
        parse_instant_us("2031-05-01T00:00:00Z"), parse_instant_us(CHANGE)
    ]  # fmt: skip


def test_cases_end_under_the_text_that_they_began_under(folder):
    replay(job(folder))
    said = [m["words"] if "words" in m else json.dumps(m) for m in lines(folder, "cases.jsonl")]
    assert any("inside version 1" in word for word in said)
    assert not any("inside version 2" in word for word in said), "it never left, and is told once"


def test_both_versions_are_entries_each_at_its_instant(folder):
    replayed = replay(job(folder))
    verified = verify_folder(folder / "out" / "record")
    assert verified.kinds["agreement_version"] == 2
    assert replayed.agreement.version == 2


def test_what_is_in_force_alone_equals_a_replay_of_one_file(folder):
    replay(job(folder, agreement="versions/v1.yaml"))
    alone = lines(folder)
    replay(job(folder, agreement="versions/v1.yaml", versions=[folder / "versions" / "v1.yaml"]))
    assert lines(folder) == alone


def test_a_routing_that_changed_changes_who_may_read_from_then_on(folder):
    second = text(2, "4 km", CHANGE, routing="[counts]").replace("ring", "other_ring")
    (folder / "versions" / "v2.yaml").write_text(second)
    replayed = replay(job(folder))
    entries = entries_of(
        replayed.chapters, archive=replayed.archive, events=replayed.events.events, warned=replayed.warned,
        notified=None, overdue=[], signatures=[], book=None,
    )  # fmt: skip
    told = {e.payload["agreement"]["version"]: set(e.audience) for e in entries if e.kind == "event"}
    assert told == {1: {"north"}, 2: {"keeper"}}


def signed(folder, version: int, what=What.SIGNATURE, at="2031-04-02T00:00:00Z"):
    key = folder / "north.key"
    if not key.exists():
        made = create_key(key, "north.example/key")
        (folder / "keys.yaml").write_text(json.dumps({"north": str(made.vkey)}))
    agreement = load(folder / "versions" / f"v{version}.yaml")
    statement = statement_of(agreement, party="north", what=what, at_us=parse_instant_us(at))
    (folder / f"{version}.{what}.json").write_bytes(bytes(sign(statement, load_key(key).seed)))
    return folder / f"{version}.{what}.json"


def test_a_version_that_is_not_signed_is_not_watched(folder):
    for number, begins, zone in ((1, "2031-05-01T00:00:00Z", "ring"), (2, CHANGE, "other_ring")):
        told = text(number, "5 km", begins, signed=True).replace("ring", zone)
        (folder / "versions" / f"v{number}.yaml").write_text(told)
    first = signed(folder, 1)
    replay(job(folder, signatures=[first], keys=folder / "keys.yaml"))
    assert {e["agreement"]["version"] for e in lines(folder)} == {1}
    objection = signed(folder, 2, What.OBJECTION)
    replay(job(folder, signatures=[first, objection], keys=folder / "keys.yaml"))
    assert {e["agreement"]["version"] for e in lines(folder)} == {1}
    late = signed(folder, 2, at="2031-06-02T11:30:30Z")
    replayed = replay(job(folder, signatures=[first, late], keys=folder / "keys.yaml"))
    assert [e["at"][11:19] for e in lines(folder) if e["kind"] == "zone_began"] == ["11:30:30"]
    verified = verify_folder(folder / "out" / "record")
    assert verified.kinds["signature"] == 2 and replayed.checkpoint.size == verified.size


def test_nothing_in_force_is_an_error_that_names_who_has_not_signed(folder):
    (folder / "versions" / "v1.yaml").write_text(text(1, "5 km", "2031-05-01T00:00:00Z", signed=True))
    objection = signed(folder, 1, What.OBJECTION)
    with pytest.raises(AgreementError, match="signatures of north"):
        replay(job(folder, "versions/v1.yaml", signatures=[objection], keys=folder / "keys.yaml"))


def test_a_signature_of_another_text_is_refused(folder):
    first = signed(folder, 1)
    (folder / "versions" / "v1.yaml").write_text(text(1, "6 km", "2031-05-01T00:00:00Z"))
    with pytest.raises(VerificationError, match=r"1\.signature\.json: .*another digest"):
        replay(job(folder, "versions/v1.yaml", signatures=[first], keys=folder / "keys.yaml"))
    with pytest.raises(SettingError, match="signatures without keys"):
        replay(job(folder, "versions/v1.yaml", signatures=[first]))
    assert not (folder / "out").exists()


def test_the_command_takes_versions(folder):
    arguments = ["replay", folder / "versions" / "v1.yaml", folder / "tracks.csv", "--out", folder / "out"]
    done = CliRunner().invoke(app, [str(a) for a in (*arguments, "--version", folder / "versions" / "v2.yaml")])
    assert done.exit_code == 0, done.output
    assert "version 2 in force from 2031-06-02T11:00:30" in done.stdout
    page = (folder / "out" / "report.html").read_text()
    assert "Version 1" in page and "Version 2" in page
