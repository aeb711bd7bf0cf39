"""`tocsin agreement`: keys, signatures, verification, comparison, schema and who may see what."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from tocsin.cli import app

DATA = Path(__file__).parents[1] / "data" / "agreements"
CABLE = DATA / "northreach-cable.yaml"
SIGNATORIES = ("authority", "operator", "fishers")


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def signed(tmp_path):
    """Keys of the three signatories, their public halves in keys.yaml, and their signatures."""
    public = {}
    for party in SIGNATORIES:
        done = run("agreement", "key", f"{party}.example/key", "--out", tmp_path / f"{party}.key")
        public[party] = done.stdout.strip()
        options = ("--party", party, "--key", tmp_path / f"{party}.key", "--out", tmp_path / f"{party}.json")
        assert run("agreement", "sign", CABLE, *options).exit_code == 0
    (tmp_path / "keys.yaml").write_text(json.dumps(public))
    return tmp_path


def verify(folder, *files, agreement=CABLE):
    return run("agreement", "verify", agreement, *(folder / f for f in files), "--keys", folder / "keys.yaml")


ALL = tuple(f"{party}.json" for party in SIGNATORIES)


def test_a_version_signed_by_all_is_good_and_says_from_when(signed):
    done = verify(signed, *ALL)
    assert done.exit_code == 0 and done.stdout.count("good ") == 3
    assert "in force from 2031-05-01T00:00:00.000000Z to 2032-05-01" in done.stdout


def test_a_missing_signature_is_named_and_nothing_is_in_force(signed):
    done = verify(signed, *ALL[:2])
    assert done.exit_code == 1 and "open  fishers" in done.stdout and "in force" not in done.stdout


def test_an_objection_holds_it(signed):
    options = (
        "--party",
        "fishers",
        "--key",
        signed / "fishers.key",
        "--out",
        signed / "no.json",
        "--note",
        "too small",
    )
    assert run("agreement", "object", CABLE, *options).exit_code == 0
    done = verify(signed, *ALL, "no.json")
    assert done.exit_code == 1 and "objection of fishers" in done.stdout and "too small" in done.stdout


def test_another_text_and_another_key_are_bad(signed, tmp_path):
    (tmp_path / "northreach-cable.geojson").write_bytes((DATA / "northreach-cable.geojson").read_bytes())
    changed = tmp_path / "changed.yaml"
    changed.write_text(CABLE.read_text().replace("half_width_m: 1852", "half_width_m: 1853"))
    done = verify(signed, *ALL, agreement=changed)
    assert done.exit_code == 1 and done.stdout.count("another digest") == 3
    options = ("--party", "operator", "--key", signed / "fishers.key", "--out", signed / "forged.json")
    assert run("agreement", "sign", CABLE, *options).exit_code == 0
    forged = verify(signed, "authority.json", "forged.json", "fishers.json")
    assert forged.exit_code == 1 and "another key" in forged.stdout


def test_keys_and_signatures_are_never_overwritten_and_private_keys_are_private(signed):
    assert stat.S_IMODE((signed / "fishers.key").stat().st_mode) == 0o600
    assert run("agreement", "key", "x.example", "--out", signed / "fishers.key").exit_code != 0
    options = ("--party", "fishers", "--key", signed / "fishers.key", "--out", signed / "fishers.json")
    assert run("agreement", "withdraw", CABLE, *options).exit_code == 2


def test_a_keys_file_that_is_none_is_refused_with_its_line(signed):
    (signed / "keys.yaml").write_text("authority: abc\n")
    done = verify(signed, *ALL)
    assert "keys.yaml:1" in str(done.exception)


def test_diff_says_what_changed_in_words_and_as_json(tmp_path):
    (tmp_path / "northreach-cable.geojson").write_bytes((DATA / "northreach-cable.geojson").read_bytes())
    after = tmp_path / "after.yaml"
    after.write_text(
        CABLE.read_text().replace("half_width_m: 1852", "half_width_m: 1853").replace("version: 4", "version: 5")
    )
    done = run("agreement", "diff", CABLE, after)
    assert done.exit_code == 0 and "1852 m → 1853 m" in done.stdout
    told = json.loads(run("agreement", "diff", CABLE, after, "--format", "json").stdout)
    assert {c["path"] for c in told["changes"]} == {"version", "zones[guard].geometry.corridor.half_width"}


def test_schema_is_one_that_the_example_fits():
    schema = json.loads(run("agreement", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(CABLE.read_text()), schema)


def test_visible_names_every_party_of_the_routing():
    rows = [json.loads(line) for line in run("agreement", "visible", CABLE, "--format", "json").stdout.splitlines()]
    assert {row["party"] for row in rows} == {"watch", "authority", "operator", "fishers", "public"}
    assert "watch" in run("agreement", "visible", CABLE).stdout
    silent = run("agreement", "visible", DATA / "at-tanf-2017.yaml")
    assert "Nobody sees anything" in silent.stderr and not silent.stdout


@pytest.mark.parametrize("command", ["key", "sign", "object", "withdraw", "verify", "diff", "schema", "visible"])
def test_every_command_has_help_with_an_example(command):
    done = run("agreement", command, "--help")
    assert done.exit_code == 0 and f"Example: tocsin agreement {command}" in " ".join(done.stdout.split())
