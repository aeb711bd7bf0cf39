"""Rewrites a record's history with its stolen key, and shows how each other party notices.

    python3 scripts/rewrite_history.py

A keeper records a convoy's approach and a warning that nobody answered. Afterwards somebody wants the warning to have
been answered. Four acts, by what the forger holds: the storage; the log's key too; one witness of three as well; two.
Then the keeper's way back: the stolen key is handed over. Everything happens in a temporary folder, with real
witnesses over HTTP on this machine. Exit 0 if every party noticed what it should have noticed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

from tocsin.clock import now_us
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import SignatureType
from tocsin.record.c2sp.policy import Policy, Witness, format_policy, parse_policy
from tocsin.record.disclose import plan_disclosure, record_disclosure, write_pack
from tocsin.record.keys import create_key, load_key
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.rotation import RotationReason
from tocsin.record.verifier.command import BAD, FORK, GOOD, verify_command
from tocsin.record.verifier.verify import verify_folder
from tocsin.record.witness.client import ask_witnesses
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.server import WitnessServer

ORIGIN = "record.example/tanf-2017"
PARTIES = ("coalition", "syria", "un")
ALL = frozenset(PARTIES)


class Stage:
    """The folder in which everything happens, and whether everybody noticed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.unnoticed = 0
        self.cosigners = [
            create_key(folder / f"{party}.key", f"{party}.example/witness", SignatureType.COSIGNATURE_ED25519)
            for party in PARTIES
        ]
        self.key = create_key(folder / "keys/log.key", ORIGIN)
        witnesses = [
            Witness(name=party, vkey=signer.vkey, url=self._serve(signer, party, stack))
            for party, signer in zip(PARTIES, self.cosigners, strict=True)
        ]
        self.policy_text = format_policy(self.key.vkey, witnesses, 2)
        self.policy: Policy = parse_policy(self.policy_text)

    def _serve(self, signer: Signer, party: str, stack: ExitStack) -> str:
        keeper = WitnessKeeper(self.folder / f"witness-{party}", [signer], {ORIGIN: [self.key.vkey]})
        server = stack.enter_context(WitnessServer(keeper))
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        stack.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def expect(self, who: str, expected: int, place: Path, **given: Path | str) -> None:
        """Let somebody verify, and compare what came of it with what should have."""
        print(f"\n--- {who}")
        sys.stdout.flush()
        found = verify_command(str(place), **given)  # type: ignore[arg-type]
        sys.stderr.flush()
        is_right = found == expected
        print(f"exit {found}" + ("" if is_right else f", EXPECTED {expected}"))
        self.unnoticed += not is_right


def entries(answer: str) -> list[Entry]:
    """Return what happened that day, with this answer to the warning."""
    at_us = now_us()
    told = [
        (EntryKind.EVENT, {"kind": "approach", "zone": "tanf-55km", "track": "dev:convoy"}),
        (EntryKind.MESSAGE, {"channel": "deconfliction line", "text": "Turn back"}),
        (EntryKind.ACKNOWLEDGEMENT if answer == "received" else EntryKind.ATTEMPT, {"outcome": answer}),
        (EntryKind.EVENT, {"kind": "entry", "zone": "tanf-55km", "track": "dev:convoy"}),
    ]
    return [Entry(kind=kind, at_us=at_us, audience=ALL, payload=payload) for kind, payload in told]


def write_history(stage: Stage, folder: Path, answer: str) -> None:
    """Write the record of that day; the witnesses' policy first, then what happened."""
    key = load_key(stage.folder / "keys/log.key")
    payload = {"policy": stage.policy_text}
    with Log.create(folder, key=key) as log:
        log.append([Entry(kind=EntryKind.WITNESSES, at_us=now_us(), audience=frozenset("*"), payload=payload)])
        log.append(entries(answer))
        log.publish()


def cosign(stage: Stage, folder: Path, key: Signer) -> None:
    """Ask every witness for its cosignature, and say what each answers."""
    with Log.open(folder, key) as log:
        replies = ask_witnesses(stage.policy, log.note, log.consistency_proof)
        for reply in replies:
            print(f"    witness {reply.witness}: {reply.outcome} {reply.detail}")
        log.add_cosignatures(log.note, [line for reply in replies for line in reply.lines], stage.policy)


def collude(stage: Stage, folder: Path, count: int) -> None:
    """Let so many witnesses sign whatever they are given, against their own memory."""
    with Log.open(folder, stage.key) as log:
        lines = [signer.sign(log.note.text, time_s=now_us() // 10**6) for signer in stage.cosigners[:count]]
        log.add_cosignatures(log.note, lines, stage.policy)


def act_one(stage: Stage, true: Path, memory: Path) -> None:
    """Change bytes without a key."""
    print("\n=== 1. The forger has the storage, and no key: the attempt becomes an acknowledgement")
    forged = stage.folder / "forged"
    shutil.copytree(true, forged)
    for bundle in (forged / "record/tile/entries").rglob("*"):
        if bundle.is_file():
            bundle.write_bytes(bundle.read_bytes().replace(b'"kind":"attempt"', b'"kind":"acknowl"'))
    stage.expect("anybody at all, without a memory", BAD, forged / "record")
    stage.expect("the same record, untouched", GOOD, true / "record", state=memory)


def act_two(stage: Stage, rewritten: Path, memory: Path, pack: Path) -> None:
    """Write everything anew and sign it."""
    print("\n=== 2. The forger has the log's key too: all of it written anew and signed")
    write_history(stage, rewritten, "received")
    print("the forger asks the witnesses, who remember the true tree:")
    cosign(stage, rewritten, stage.key)
    stage.expect("syria, who verified the record yesterday", FORK, rewritten / "record", state=memory)
    stage.expect("a court, given the evidence file and nothing else", FORK, memory.with_name("memory.fork"))
    stage.expect("un, who holds a pack of the true record, opens it", GOOD, pack, vkey=str(stage.key.vkey))
    stage.expect("a newcomer without a memory sees no quorum behind it", GOOD, rewritten / "record")
    witnessing = verify_folder(rewritten / "record").witnessing
    stage.unnoticed += witnessing is None or witnessing.size != 0


def act_three(stage: Stage, rewritten: Path, memory: Path) -> None:
    """Add witnesses who sign against their own memory: too few, then enough."""
    print("\n=== 3. One witness of three helps: the quorum is two")
    collude(stage, rewritten, 1)
    witnessing = verify_folder(rewritten / "record").witnessing
    print(f"    entries that a quorum has seen, by the forged record: {witnessing.size if witnessing else 0}")
    stage.unnoticed += witnessing is None or witnessing.size != 0
    print("\n=== 4. Two witnesses help: a newcomer is deceived, and whoever remembers convicts all three")
    collude(stage, rewritten, 2)
    stage.expect("a newcomer", GOOD, rewritten / "record")
    stage.expect("syria again", FORK, rewritten / "record", state=memory)


def act_four(stage: Stage, true: Path, memory: Path) -> None:
    """Hand over to a new key, and let the old one sign once more."""
    print("\n=== 5. The keeper hands over to a new key, as stolen; the witnesses follow")
    new = create_key(stage.folder / "keys/log-2.key", ORIGIN)
    thief = stage.folder / "thief"
    shutil.copytree(true, thief)
    with Log.open(true, stage.key) as log:
        log.rotate(new, reason=RotationReason.STOLEN, at_us=now_us())
    cosign(stage, true, new)
    stage.expect("syria goes on with the true record", GOOD, true / "record", state=memory)
    with Log.open(thief, stage.key) as log:
        log.append(entries("received"))
        log.publish()
    stage.expect("what the old key signs afterwards", FORK, thief / "record", state=memory)


def main() -> int:
    """Play all acts; return 0 if everybody noticed."""
    with tempfile.TemporaryDirectory(prefix="tocsin-rewrite-") as base, ExitStack() as stack:
        stage = Stage(Path(base), stack)
        true, rewritten = stage.folder / "true", stage.folder / "rewritten"
        memory, pack = stage.folder / "memory", stage.folder / "pack"
        print("=== The true day: a warning that nobody answered, recorded and cosigned by every party")
        write_history(stage, true, "no answer")
        cosign(stage, true, stage.key)
        stage.expect("syria verifies, and remembers", GOOD, true / "record", state=memory)
        act_one(stage, true, memory)
        with Log.open(true, stage.key) as log:
            disclosure = record_disclosure(
                log,
                plan_disclosure(
                    log, to="un", indices=range(1, 5), keeper="coalition", reason="inquiry", at_us=now_us()
                ),
            )
            replies = ask_witnesses(stage.policy, log.note, log.consistency_proof)
            log.add_cosignatures(log.note, [line for reply in replies for line in reply.lines], stage.policy)
            write_pack(log, disclosure, pack)
        act_two(stage, rewritten, memory, pack)
        act_three(stage, rewritten, memory)
        act_four(stage, true, memory)
        print(f"\n{'Everybody noticed.' if not stage.unnoticed else f'{stage.unnoticed} did NOT notice.'}")
        return 1 if stage.unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
