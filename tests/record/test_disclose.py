"""What a party gets, what it is owed, and what others can have seen."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.record.conftest import AT_US, make_signer, write_log
from tests.record.test_standalone import run_alone

from tocsin.errors import RecordError, VerificationError, VisibilityError
from tocsin.record.c2sp.note import SignatureType
from tocsin.record.c2sp.policy import Witness, format_policy, parse_policy
from tocsin.record.c2sp.proof import TlogProof, parse_proof
from tocsin.record.disclose import extract_payloads, plan_disclosure, record_disclosure, write_pack, zip_pack
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.payload import format_opening
from tocsin.record.rotation import RotationReason
from tocsin.record.verifier.command import BAD, GOOD, verify_command
from tocsin.record.verifier.entitled import could_see
from tocsin.record.verifier.pack import verify_pack
from tocsin.record.verifier.verify import verify_folder
from tocsin.units import format_instant

COSIGNER = make_signer("un.example/w", SignatureType.COSIGNATURE_ED25519, 5)
LATER_US = AT_US + 3_600_000_000


def secret(audience: str) -> Entry:
    return Entry(kind=EntryKind.CLAIM, at_us=AT_US + 60_000_000, audience=frozenset({audience}), payload="s" * 70_000)


def write_packed(folder: Path) -> Path:
    """Make a log with a new key, a witness and a large claim; disclose some of it to `syria`; return the pack."""
    with write_log(folder / "kept", 5) as log:
        text = format_policy(make_signer().vkey, [Witness(name="un", vkey=COSIGNER.vkey)], 1)
        log.append([Entry(kind=EntryKind.WITNESSES, at_us=AT_US, audience=frozenset("*"), payload={"policy": text})])
        log.rotate(make_signer(number=2), reason=RotationReason.PLANNED, at_us=AT_US)
        log.append([secret("syria"), secret("coalition")])
        disclosure = record_disclosure(
            log,
            plan_disclosure(
                log,
                to="syria",
                indices={0, 3, 7},
                keeper="un",
                reason="inquiry of 19 May",
                at_us=LATER_US,
                documents={"agreement.yaml": b"version: 1\n"},
            ),
        )
        log.add_cosignatures(log.note, [COSIGNER.sign(log.note.text, time_s=LATER_US // 10**6)], parse_policy(text))
        write_pack(log, disclosure, folder / "pack")
    return folder / "pack"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_packed(tmp_path)


def test_a_pack_verifies_by_itself_with_the_verifier_inside_it(pack: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(pack, moved)
    shutil.rmtree(tmp_path / "kept")
    done = run_alone(moved / "verify.py", moved, "--vkey", str(make_signer().vkey))
    assert (done.returncode, done.stderr) == (GOOD, "")
    for told in ("for syria: inquiry of 19 May", "entry    7 claim", "cosigned un 2017-05-18", "as expected"):
        assert told in done.stdout
    found = verify_pack(moved)
    assert sorted(found.contents) == [0, 3, 5, 6, 7, 9]  # with the witnesses, the new key and the disclosure itself
    assert found.contents[7][1] == b'"' + b"s" * 70_000 + b'"'
    assert found.keys == (make_signer().vkey, make_signer(number=2).vkey)


def test_every_file_of_a_pack_is_covered(pack: Path) -> None:
    """One byte at a few places of each file, each file missing, and a file too many; README and verifier included."""
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        good = path.read_bytes()
        for at in {0, len(good) // 3, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            with pytest.raises(VerificationError):
                verify_pack(pack)
        path.unlink()
        with pytest.raises(VerificationError):
            verify_pack(pack)
        path.write_bytes(good)
    (pack / "documents/more.txt").write_bytes(b"planted")
    with pytest.raises(VerificationError, match=r"more\.txt"):
        verify_pack(pack)


def test_a_pack_from_which_an_entry_was_taken_says_so(pack: Path) -> None:
    lines = (pack / "openings").read_bytes().splitlines(keepends=True)
    (pack / "openings").write_bytes(b"".join(line for line in lines if not line.startswith(b"3\t")))
    with pytest.raises(VerificationError, match=r"disclosed, not delivered: entries \[3\]"):
        verify_pack(pack)


def reseal(path: Path, change: Callable[[TlogProof], TlogProof]) -> None:
    path.write_bytes(bytes(change(parse_proof(path.read_bytes()))))


def test_a_pack_with_an_entry_that_its_table_does_not_name(pack: Path, tmp_path: Path) -> None:
    """Somebody who has the record adds an entry, with its true proof, to a pack that was made for another purpose."""
    with Log.open(tmp_path / "kept", make_signer(number=2)) as log:
        opening = log.opening(1)
        line = format_opening(1, opening.envelope, opening.salt, opening.payload)
        note = parse_proof((pack / "proofs/0.tlog-proof").read_bytes()).note
        (pack / "proofs/1.tlog-proof").write_bytes(bytes(replace(log.proof(1), note=note)))
    lines = (pack / "openings").read_bytes().splitlines(keepends=True)
    (pack / "openings").write_bytes(b"".join([lines[0], line, *lines[1:]]))
    with pytest.raises(VerificationError, match=r"entries \[1\] are in the pack and not in its disclosure"):
        verify_pack(pack)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("an older checkpoint", "another entry or checkpoint"),
        ("a line by nobody", "none of the log's keys"),
        ("handover of nothing", "inclusion proof"),
        ("the old key", "not the key last handed over to"),
        ("extra data", "another entry or checkpoint"),
    ],
)
def test_a_pack_put_together_wrongly_is_refused(pack: Path, tmp_path: Path, what: str, said: str) -> None:
    proofs = sorted((pack / "proofs").iterdir())
    if what == "an older checkpoint":
        shutil.copy(pack / "handover/6.tlog-proof", pack / "proofs/6.tlog-proof")
    elif what == "a line by nobody":
        text = parse_proof(proofs[0].read_bytes()).note.text
        line = make_signer("x.example").sign(text)
        for path in proofs:
            reseal(path, lambda p: replace(p, note=replace(p.note, signatures=(*p.note.signatures, line))))
    elif what == "handover of nothing":
        reseal(pack / "handover/6.tlog-proof", lambda p: replace(p, hashes=(bytes(32), *p.hashes[1:])))
    elif what == "extra data":
        reseal(proofs[0], lambda p: replace(p, extra=b"not covered by anything"))
    else:
        (pack / "log.vkey").write_text(f"{make_signer().vkey}\n")
    with pytest.raises(VerificationError, match=said):
        verify_pack(pack)


def test_what_is_not_for_a_party_is_not_disclosed_without_a_grant(tmp_path: Path) -> None:
    with write_log(tmp_path / "kept", 5) as log:
        log.append([secret("coalition")])
        about = {"to": "syria", "keeper": "un", "reason": "asked", "at_us": LATER_US}
        with pytest.raises(VisibilityError, match=r"\[5\] are not for syria"):
            record_disclosure(log, plan_disclosure(log, indices={4, 5}, **about))
        assert log.size == 6  # nothing was recorded
        with pytest.raises(RecordError, match="up to 9"):
            record_disclosure(log, plan_disclosure(log, indices={9}, **about))
        granted = record_disclosure(log, plan_disclosure(log, indices={5}, grant="article 7", **about))
        write_pack(log, granted, tmp_path / "pack")
        with pytest.raises(RecordError, match="already"):
            write_pack(log, granted, tmp_path / "pack")
    assert verify_pack(tmp_path / "pack").disclosure["grant"] == "article 7"


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "c:\\x"])
def test_a_document_cannot_leave_the_pack(tmp_path: Path, name: str) -> None:
    with write_log(tmp_path, 5) as log, pytest.raises(RecordError, match="document name"):
        record_disclosure(
            log, plan_disclosure(log, to="syria", indices={1}, keeper="un", reason="", at_us=0, documents={name: b""})
        )


def test_a_zipped_pack_is_the_same_each_time(pack: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        zip_pack(pack, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "out")
    assert verify_pack(tmp_path / "out/pack").checkpoint.size == 10


def party_copy(kept: Path, party: str, into: Path) -> Path:
    """Return a party's folder: the whole record, and the payloads that are for it."""
    shutil.copytree(kept / "record", into / "record")
    with Log.open(kept, make_signer()) as log:
        files = extract_payloads(log.openings(0, log.size), party)
    for name, data in files.items():
        path = into / "payload" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return into


def test_entitled_not_delivered_is_visible_to_the_entitled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A payload withheld from a party whose name is on the envelope."""
    with write_log(tmp_path / "kept", 5) as log:
        log.append([secret("syria"), secret("coalition")])
        log.publish()
    theirs = party_copy(tmp_path / "kept", "syria", tmp_path / "theirs")
    assert verify_command(str(theirs), party="syria") == GOOD
    text = (theirs / "payload/000").read_bytes()
    assert b"sss" not in text and not any(b"\n6\t" in line for line in text.splitlines())
    (theirs / "payload/000").write_bytes(b"".join(x for x in text.splitlines(keepends=True) if x[:2] != b"3\t"))
    assert verify_command(str(theirs)) == GOOD
    capsys.readouterr()
    assert verify_command(str(theirs), party="syria") == BAD
    assert "ENTITLED, NOT DELIVERED  entry 3\n" in capsys.readouterr().out


def test_a_payload_that_opens_another_commitment_is_refused(tmp_path: Path) -> None:
    """Salt or payload changed, check digits made to fit: only the commitment can tell."""
    write_log(tmp_path / "kept", 5).close()
    theirs = party_copy(tmp_path / "kept", "syria", tmp_path / "theirs")
    path = theirs / "payload/000"
    line, _, rest = path.read_bytes().partition(b"\n")
    for old, new in ((b'"number":0', b'"number":9'), (line.split(b"\t")[1], b"0" * 64)):
        fields = line.replace(old, new)[:-32]
        path.write_bytes(fields + hashlib.sha256(fields).hexdigest()[:32].encode() + b"\n" + rest)
        with pytest.raises(VerificationError, match="does not open"):
            verify_folder(theirs)


@pytest.mark.parametrize("what", ["another envelope", "order", "twice"])
def test_lines_that_are_whole_and_wrong_are_refused(tmp_path: Path, what: str) -> None:
    """Check digits that fit are no protection: an envelope of one's own, or lines moved, must not pass."""
    write_log(tmp_path / "kept", 5).close()
    theirs = party_copy(tmp_path / "kept", "syria", tmp_path / "theirs")
    path = theirs / "payload/000"
    lines = path.read_bytes().splitlines(keepends=True)
    if what == "another envelope":
        fields = lines[0].replace(b'"kind":"message"', b'"kind":"attempt"')[:-33]
        lines[0] = fields + hashlib.sha256(fields).hexdigest()[:32].encode() + b"\n"
    elif what == "order":
        lines[0], lines[1] = lines[1], lines[0]
    else:
        lines.insert(1, lines[0])
    path.write_bytes(b"".join(lines))
    with pytest.raises(VerificationError):
        verify_folder(theirs)


def test_what_a_party_could_see_at_a_time(tmp_path: Path) -> None:
    with write_log(tmp_path / "kept", 5) as log:
        log.append([secret("coalition")])
        granted = record_disclosure(
            log,
            plan_disclosure(
                log, to="syria", indices={5}, keeper="un", reason="asked", at_us=LATER_US, grant="article 7"
            ),
        )
        payloads = {granted.index: log.opening(granted.index).payload}
        size = log.published.size
        before = could_see(log.read, size, "syria", format_instant(LATER_US - 1), payloads)
        assert [sight.index for sight in before] == [0, 1, 2, 3, 4]
        after = could_see(log.read, size, "syria", format_instant(LATER_US), payloads)
        assert [(s.index, s.by, s.disclosed) for s in after[5:]] == [(5, "disclosure", (6,)), (6, "audience", ())]
        assert could_see(log.read, size, "nobody", format_instant(LATER_US), payloads) == []
