"""`tocsin record` and `tocsin verify` as people run them: proofs, the one-file verifier, keys, and what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.cli.test_bad_input import EXAMPLES
from tests.record.conftest import AT_US, PARTIES, make_entries, make_signer

from tocsin.agreement.custody import compile_custody
from tocsin.agreement.load import load
from tocsin.cli import main
from tocsin.record.c2sp.proof import parse_proof
from tocsin.record.disclose import extract_payloads, plan_disclosure, record_disclosure
from tocsin.record.keys import create_key, load_key
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.verifier.verify import verify_folder
from tocsin.station.core.agreed_witnesses import witnesses_entry

AGREEMENT = EXAMPLES / "with-mechanisms.yaml"
COMMANDS = ("disclose", "visible", "prove", "verifier", "policy", "rotate")


def tocsin(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in this process: starting one takes a second, and thirty are needed here."""
    command, out, err = ["tocsin", *map(str, arguments)], StringIO(), StringIO()
    with (
        patch.object(sys, "argv", command),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as done,
    ):
        main()
    return subprocess.CompletedProcess(command, int(done.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def keeper(tmp_path: Path) -> Path:
    """A keeper's folder: the agreement's witnesses, five entries for two parties, one for one of them."""
    custody = compile_custody(load(AGREEMENT))
    assert custody is not None
    key = create_key(tmp_path / "keeper/keys/log.key", "log.example/tanf")
    with Log.create(tmp_path / "keeper", key=key) as log:
        only = Entry(kind=EntryKind.MESSAGE, at_us=AT_US, audience=frozenset({"syria"}), payload={"text": "turn back"})
        log.append([witnesses_entry(custody, key.vkey, at_us=AT_US), *make_entries(5), only])
        log.publish()
    return tmp_path / "keeper"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = tocsin("record", command, "--help")
    assert done.returncode == 0
    assert f"Example: tocsin record {command}" in " ".join(done.stdout.split())


def test_a_proof_travels_with_its_entry_and_is_checked_by_both_verifiers(keeper: Path, tmp_path: Path) -> None:
    proof, script = tmp_path / "6.tlog-proof", tmp_path / "verify.py"
    vkey = (keeper / "record/log.vkey").read_text().strip()
    assert tocsin("record", "prove", keeper, "6", "--out", proof).returncode == 0
    assert tocsin("record", "verifier", "--out", script).returncode == 0
    entry = parse_proof(proof.read_bytes()).extra
    assert entry is not None and json.loads(entry)["audience"] == ["syria"]
    alone = subprocess.run(
        [sys.executable, "-I", script, proof, "--vkey", vkey], capture_output=True, text=True, check=False
    )
    for done in (tocsin("verify", proof, "--vkey", vkey), alone):
        assert (done.returncode, done.stderr) == (0, "")
        assert "GOOD: it stands in log.example/tanf, 7 entries" in done.stdout
    assert tocsin("verify", proof).returncode == 2  # a proof cannot say whom to believe
    assert tocsin("verify", proof, "--vkey", str(make_signer().vkey)).returncode == 1
    assert tocsin("record", "prove", keeper, "6", "--out", proof).returncode == 2  # never overwritten
    assert tocsin("record", "prove", keeper, "7", "--out", tmp_path / "7").returncode == 3  # there is no such entry
    changed = proof.read_bytes().replace(b"extra ", b"extra A", 1)
    proof.write_bytes(changed)
    assert tocsin("verify", proof, "--vkey", vkey).returncode == 1


def test_what_a_party_is_entitled_to_and_has_not_got_is_listed(keeper: Path, tmp_path: Path) -> None:
    """Fault 71: the keeper withholds one payload; the envelope gives it away."""
    with Log.open(keeper, load_key(keeper / "keys/log.key")) as log:
        files = extract_payloads(log.openings(0, log.size), "syria")
    for name, data in files.items():
        path = tmp_path / "syria/payload" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(line for line in data.split(b"\n") if b"turn back" not in line))
    (tmp_path / "syria/record").symlink_to(keeper / "record")
    missing = tocsin("verify", tmp_path / "syria", "--party", "syria")
    assert missing.returncode == 1
    assert "ENTITLED, NOT DELIVERED  entry 6" in missing.stdout and missing.stdout.count("NOT DELIVERED") == 1
    other = tocsin("verify", tmp_path / "syria", "--party", sorted(PARTIES - {"syria"})[0])
    assert other.returncode == 0


def create_or_load(folder: Path):
    from tocsin.record.keys import load_key

    return load_key(folder / "keys/log.key")


def test_what_a_party_could_see_counts_what_was_handed_over(keeper: Path, tmp_path: Path) -> None:
    # Fault: "what could X see" answered from audiences alone, though the keeper handed over more.
    with Log.open(keeper, load_key(keeper / "keys/log.key")) as log:
        record_disclosure(
            log,
            plan_disclosure(
                log,
                to="un",
                indices=[6],
                keeper="coalition",
                reason="inquiry",
                at_us=AT_US + 9_000_000,
                grant="order 7",
            ),
        )
    seen = tocsin("record", "visible", keeper, "--party", "un", "--until", "2030-01-01T00:00:00Z")
    sights = {s["index"]: s for s in map(json.loads, seen.stdout.splitlines())}
    assert (sights[6]["by"], sights[6]["disclosed"]) == ("disclosure", [7])
    public = tocsin("record", "visible", keeper / "record", "--party", "un", "--until", "2017-05-18T08:00:08Z")
    assert all(json.loads(line)["by"] == "audience" for line in public.stdout.splitlines())


def test_a_record_is_held_against_the_agreement(keeper: Path, tmp_path: Path) -> None:
    # Fault: a history rewritten with the log's key that names witnesses of its own, shown to a newcomer.
    good = tocsin("verify", keeper, "--agreement", AGREEMENT)
    assert good.returncode == 0 and "UNWITNESSED since the log began" in good.stdout
    assert tocsin("verify", keeper, "--agreement", EXAMPLES / "as-it-was.yaml").returncode == 2
    with Log.create(tmp_path / "forged", key=load_key(keeper / "keys/log.key")) as log:
        log.append(make_entries(7))
        log.publish()
    forged = tocsin("verify", tmp_path / "forged", "--agreement", AGREEMENT)
    assert forged.returncode == 1 and "not those agreed on" in forged.stderr
    policy, script = tmp_path / "policy", tmp_path / "verify.py"
    policy.write_text(tocsin("record", "policy", AGREEMENT).stdout)
    tocsin("record", "verifier", "--out", script)
    for place, code in ((keeper, 0), (tmp_path / "forged", 1)):
        command = [sys.executable, "-I", script, place, "--policy", policy]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code
    policy.write_text("quorum nobody\n")
    command = [sys.executable, "-I", script, keeper, "--policy", policy]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2


def test_a_key_is_changed_and_the_old_one_retired(keeper: Path) -> None:
    done = tocsin("record", "rotate", keeper)
    assert done.returncode == 0, done.stderr
    assert str(verify_folder(keeper).vkey) == json.loads(done.stdout)["vkey"]
    assert tocsin("record", "rotate", keeper).returncode == 3  # the overlap is not over
    assert tocsin("record", "rotate", keeper, "--end-overlap").returncode == 0
    assert tocsin("record", "rotate", keeper, "--reason", "stolen").returncode == 0
    assert len(verify_folder(keeper).keys) == 3
    assert "PRIVATE" not in done.stdout + done.stderr


def test_a_live_stations_record_is_not_written_behind_its_stores_back(keeper: Path, tmp_path: Path) -> None:
    # Fault: an entry in the record that the store has no place for; the station then takes its store for a backup.
    (keeper / "station.lock").touch()
    options = ["--to", "syria", "--entries", "1", "--keeper", "coalition", "--reason", "asked", "--out", tmp_path / "p"]
    for command in (["rotate", keeper], ["disclose", keeper, *options]):
        refused = tocsin("record", *command)
        assert refused.returncode == 4 and "none runs on it" in refused.stderr
    assert not (keeper / "requests").exists()
    assert verify_folder(keeper).size == 7
