"""`tocsin record`: hand out entries and proofs, say what a party could see when, change the log's key."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tocsin.station.publish.requests import Request

app = typer.Typer(
    help="Disclose and prove a record's entries, say who could see what, change its key.", no_args_is_help=True
)

WAIT_S = 60.0
"""How long a running station is waited for, seconds."""

UNREACHED = 4
"""Exit code where no station took the request."""

LOCK = "station.lock"
"""What a station's folder has in it, and a running station holds."""

KeeperFolder = Annotated[Path, typer.Argument(help="The keeper's folder: it holds record/, payload/ and keys/.")]


class Reason(StrEnum):
    """Why a key is changed."""

    PLANNED = "planned"
    STOLEN = "stolen"


def ask_station(folder: Path, request: Request) -> None:
    """Ask the station of a folder, whose core gives entries their places, and print what came of it."""
    from tocsin.errors import RecordError
    from tocsin.record.files import Lock
    from tocsin.station.publish.requests import ask, end_of

    try:
        Lock(folder / LOCK).close()
    except RecordError:
        pass  # somebody has it: a station runs
    else:
        sys.stderr.write(f"tocsin: {folder} is a station's, and none runs on it; begin it, then ask again\n")
        raise typer.Exit(UNREACHED)
    came = end_of(ask(folder, request), within_s=WAIT_S)
    if came is None:
        sys.stderr.write(f"tocsin: the station has not done it in {WAIT_S:.0f} s; the request waits in its folder\n")
        raise typer.Exit(UNREACHED)
    if "error" in came:
        sys.stderr.write(f"tocsin: {came['error']}\n")
        raise typer.Exit(1)
    print(json.dumps(came))


def is_station(folder: Path) -> bool:
    """Return True if a folder is a station's, running or not."""
    return (folder / LOCK).exists()


def indices_of(text: str) -> list[int]:
    """Return the entries that a text such as "0-3,7" names.

    Raises
    ------
    ValueError
        For a text that names none.
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@app.command("disclose")
def disclose_command(
    folder: KeeperFolder,
    to: Annotated[str, typer.Option(help="The party that gets the pack.")],
    entries: Annotated[str, typer.Option(help="Which entries, such as 0-3,7.")],
    keeper: Annotated[str, typer.Option(help="The party that hands over.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence; it becomes part of the record.")],
    out: Annotated[Path, typer.Option(help="The pack's folder; must not exist.")],
    grant: Annotated[
        str | None, typer.Option(help="The clause or decision by which the party may have what is not for it.")
    ] = None,
) -> None:
    """Write an evidence pack that opens and verifies offline; the handing over is itself an entry.

    Example: tocsin record disclose out/at-tanf --to russia --entries 0-3 --keeper joint_desk --reason "asked on 19 May"
    --out out/pack
    """
    from tocsin.clock import now_us
    from tocsin.record.disclose import plan_disclosure, record_disclosure, write_pack
    from tocsin.record.keyfiles import open_log

    try:
        indices = indices_of(entries)
    except ValueError:
        raise typer.BadParameter(f"found {entries!r}, expected numbers such as 0-3,7", param_hint="--entries") from None
    if is_station(folder):
        from tocsin.station.publish.requests import Disclose

        wanted = tuple(indices)
        ask_station(
            folder, Disclose(to=to, entries=wanted, keeper=keeper, reason=reason, grant=grant, out=str(out.absolute()))
        )
        return
    with open_log(folder) as log:
        disclosure = record_disclosure(
            log, plan_disclosure(log, to=to, indices=indices, keeper=keeper, reason=reason, at_us=now_us(), grant=grant)
        )
        write_pack(log, disclosure, out)
    print(json.dumps({"pack": str(out), "entries": len(indices), "recorded_as": disclosure.index}))


@app.command("visible")
def visible_command(
    folder: Annotated[Path, typer.Argument(help="The record's folder, or the keeper's that holds it.")],
    party: Annotated[str, typer.Option(help="The party.")],
    until: Annotated[str, typer.Option(help="The instant, with its offset, such as 2017-05-18T12:00:00Z.")],
) -> None:
    """Print what a party could see at a time, one JSON line an entry, from the record alone.

    Example: tocsin record visible out/at-tanf --party russia --until 2017-05-18T12:00:00Z
    """
    from msgspec.structs import asdict

    from tocsin.record.verifier.entitled import could_see, disclosure_payloads
    from tocsin.record.verifier.source import FolderSource, find_record
    from tocsin.record.verifier.verify import verify_folder
    from tocsin.units import format_instant, parse_instant_us

    at = format_instant(parse_instant_us(until))
    size = verify_folder(folder).checkpoint.size
    record = find_record(folder)
    read, payload = FolderSource(record).read, record.parent / "payload"
    disclosures = disclosure_payloads(read, size, payload) if payload.is_dir() else None
    if disclosures is None:
        sys.stderr.write("without the payloads beside it, a record tells audiences, and not what was handed over\n")
    for sight in could_see(read, size, party, at, disclosures):
        print(json.dumps(asdict(sight), sort_keys=True))


@app.command("prove")
def prove_command(
    record: Annotated[str, typer.Argument(help="The record's folder, or the URL it is served under.")],
    index: Annotated[int, typer.Argument(min=0, help="Which entry.")],
    out: Annotated[Path, typer.Option(help="The proof's file, such as 7.tlog-proof; must not exist.")],
) -> None:
    """Write the proof that an entry stands in a log, in C2SP tlog-proof with the entry in it; `verify` checks it.

    The checkpoint is the newest that a quorum of witnesses has seen, if that covers the entry, else the newest.

    Example: tocsin record prove out/at-tanf/record 7 --out 7.tlog-proof
    """
    from tocsin.record.verifier.prove import prove
    from tocsin.record.verifier.source import open_source

    proof = prove(open_source(record), index)
    try:
        with out.open("xb") as file:
            file.write(bytes(proof))
    except FileExistsError:
        raise typer.BadParameter(f"{out} is there already", param_hint="--out") from None
    print(json.dumps({"proof": str(out), "entry": index}))


@app.command("verifier")
def verifier_command(
    out: Annotated[Path, typer.Option(help="The file to write; replaced if it is there.")] = Path("verify.py"),
) -> None:
    """Write the verifier as one Python file, for a party that trusts nobody's software but what it can read.

    Example: tocsin record verifier --out verify.py
    """
    from tocsin.record.verifier.standalone import write_standalone

    write_standalone(out)
    print(json.dumps({"verifier": str(out)}))


@app.command("policy")
def policy_command(
    agreement: Annotated[Path, typer.Argument(help="The agreement, a YAML file.")],
) -> None:
    """Print the agreement's log keys, witnesses and quorum as a C2SP tlog-policy, for `verify.py --policy`.

    Example: tocsin record policy examples/at-tanf/with-mechanisms.yaml
    """
    from tocsin.agreement.custody import compile_custody
    from tocsin.agreement.load import load
    from tocsin.station.core.agreed_witnesses import policy_text

    custody = compile_custody(load(agreement))
    if custody is None:
        sys.stderr.write(f"{agreement} names no witnesses\n")
        raise typer.Exit(1)
    sys.stdout.write(policy_text(custody))


@app.command("rotate")
def rotate_command(
    folder: KeeperFolder,
    reason: Annotated[Reason, typer.Option(help="Why; after a theft the old key signs nothing more.")] = Reason.PLANNED,
    end_overlap: Annotated[
        bool, typer.Option("--end-overlap", help="Make no new key: let the old one of the last rotation sign no more.")
    ] = False,
) -> None:
    """Hand a log over to a new key, which is made and kept in keys/; the handing over is itself an entry.

    A station that runs on the folder does it itself, between two entries. Until --end-overlap both keys sign, so that
    everybody who knows the old one can follow.

    Example: tocsin record rotate out/at-tanf --reason stolen
    """
    from tocsin.clock import now_us
    from tocsin.record.keyfiles import end_overlap as end
    from tocsin.record.keyfiles import overlapping, rotate_key
    from tocsin.record.rotation import RotationReason

    if is_station(folder):
        from tocsin.station.publish.requests import EndOverlap, Rotate

        old = (folder / "record" / "log.vkey").read_text().strip()
        ends = EndOverlap(old=str(overlapping(folder) or ""))
        ask_station(folder, ends if end_overlap else Rotate(old=old, reason=RotationReason(reason)))
        return
    if end_overlap:
        print(json.dumps({"retired": str(end(folder))}))
        return
    vkey, checkpoint = rotate_key(folder, reason=RotationReason(reason), at_us=now_us())
    print(json.dumps({"vkey": str(vkey), "size": checkpoint.size}))
