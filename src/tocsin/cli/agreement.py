"""`tocsin agreement`: set a value, sign a version or object to it, compare versions, print who may see what."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Versions of an agreement: sign, verify, compare, and say who may see what.", no_args_is_help=True
)

AgreementFile = Annotated[Path, typer.Argument(help="The agreement, a YAML file.")]
Party = Annotated[str, typer.Option(help="The party that says so, by its id.")]
Key = Annotated[Path, typer.Option(help="The party's private key file (see `tocsin agreement key`).")]
Out = Annotated[Path, typer.Option(help="The file to write; must not exist.")]
Note = Annotated[str, typer.Option(help="Words to go with it, such as the ground of an objection.")]


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


@app.command("key")
def key_command(
    name: Annotated[str, typer.Argument(help="A name for the key: a URL without its scheme, such as nma.example/key.")],
    out: Out,
) -> None:
    """Make a party's key, write its private half to a file that only its owner reads, and print the public half.

    Example: tocsin agreement key nma.example/agreements --out nma.key
    """
    from tocsin.record.keys import create_key

    print(create_key(out, name).vkey)


@app.command("sign")
def sign_command(agreement: AgreementFile, party: Party, key: Key, out: Out, note: Note = "") -> None:
    """Sign a version for a party; the signature is a file of its own beside the text.

    Example: tocsin agreement sign agreement.yaml --party authority --key nma.key --out v4.authority.json
    """
    _state("signature", agreement, party, key, out, note)


@app.command("object")
def object_command(agreement: AgreementFile, party: Party, key: Key, out: Out, note: Note = "") -> None:
    """Object to a version for a party: it stands in the record, and holds a version that is not in force yet.

    Example: tocsin agreement object agreement.yaml --party fishers --key nfa.key --out v4.fishers.json
    --note "the approach box is too small"
    """
    _state("objection", agreement, party, key, out, note)


@app.command("withdraw")
def withdraw_command(agreement: AgreementFile, party: Party, key: Key, out: Out, note: Note = "") -> None:
    """Take a party's signature of a version back; a version in force ends by its exit clause, not by this.

    Example: tocsin agreement withdraw agreement.yaml --party fishers --key nfa.key --out v4.fishers.back.json
    """
    _state("withdrawal", agreement, party, key, out, note)


@app.command("verify")
def verify_command(
    agreement: AgreementFile,
    signatures: Annotated[list[Path], typer.Argument(help="Signature files.")],
    keys: Annotated[Path, typer.Option(help="Whose key is whose: a YAML file of `party: public key`.")],
) -> None:
    """Check who signed this very text, and from when it is in force by that; exit 1 if one is bad or missing.

    Example: tocsin agreement verify agreement.yaml v4.*.json --keys keys.yaml
    """
    from tocsin.agreement.load import load
    from tocsin.agreement.versions.in_force import signing_of, versions_in_force
    from tocsin.agreement.versions.signatures import check_version, parse_signed, verify
    from tocsin.errors import VerificationError
    from tocsin.station.publish.signed import read_keys
    from tocsin.units import format_instant, format_instant_if

    loaded, known = load(agreement), read_keys(keys)
    good, bad = [], 0
    for path in signatures:
        signed = parse_signed(path.read_bytes(), file=str(path))
        said = signed.statement
        try:
            verify(signed, keys=known)
            check_version(signed, loaded)
        except VerificationError as error:
            bad += 1
            print(f"BAD   {path}: {error}")
            continue
        good.append(signed)
        note = f": {said.note}" if said.note else ""
        print(f"good  {path}: {said.what} of {said.party}, {format_instant(said.at_us)}{note}")
    signing = signing_of(loaded, good)
    for party in signing.missing:
        print(f"open  {party} has not signed, or not last")
    for version in versions_in_force([loaded], good):
        begin, end = (format_instant_if(at) for at in (version.from_us, version.to_us))
        print(f"in force from {begin or 'the beginning'} to {end or 'no end set'}, if no other version overtakes it")
    raise typer.Exit(1 if bad or signing.missing else 0)


@app.command("set")
def set_command(
    agreement: AgreementFile,
    path: Annotated[str, typer.Argument(help="The value's path; `channels[]` adds a member to a list.")],
    value: Annotated[str, typer.Argument(help="As YAML; `not_set` says that it is not agreed.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change and write nothing.")] = False,
) -> None:
    """Set one value; comments and every other byte stay. Numbers, dates and signatures are not touched by itself.

    Example: tocsin agreement set --dry-run examples/at-tanf/as-it-was.yaml exit.notice P30D
    """
    from tocsin.agreement.versions.change import set_value
    from tocsin.cli.files import replace_file

    text = agreement.read_bytes()
    done = set_value(text, path, value, file=str(agreement), folder=agreement.parent)
    print(f"{done.path}: {done.old or '(not there)'} → {done.new}")
    if dry_run or done.text == text:
        sys.stderr.write("nothing written\n" if dry_run else "nothing to change\n")
        return
    replace_file(agreement, done.text)


@app.command("diff")
def diff_command(
    before: Annotated[Path, typer.Argument(help="The earlier version.")],
    after: Annotated[Path, typer.Argument(help="The later version.")],
    format: Annotated[Format, typer.Option(help="For people, or one JSON object.")] = Format.TEXT,
    html: Annotated[Path | None, typer.Option(help="Write a page too: the changes in words and on a map.")] = None,
) -> None:
    """Say what changed from one version to the next, and which findings that opened and closed.

    Example: tocsin agreement diff examples/at-tanf/as-it-was.yaml examples/at-tanf/with-mechanisms.yaml
    """
    from msgspec.structs import asdict

    from tocsin.agreement.findings.text import format_json
    from tocsin.agreement.load import load
    from tocsin.agreement.versions.diff import diff, format_diff

    old, new = load(before), load(after)
    found = diff(old, new)
    if html is not None:
        from tocsin.serve.compared import write_comparison

        write_comparison(old, new, found, html)
    if format is Format.TEXT:
        print(format_diff(found))
        return
    findings = {
        name: json.loads(format_json(told))["findings"]
        for name, told in (("opened", found.opened), ("closed", found.closed))
    }
    print(json.dumps({"changes": [asdict(change) for change in found.changes]} | findings, ensure_ascii=False))


@app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of the agreement's format, for editors.

    Example: tocsin agreement schema > tocsin-agreement-1.json
    """
    from tocsin.agreement.schema import agreement_schema

    print(json.dumps(agreement_schema(), indent=2, ensure_ascii=False))


@app.command("visible")
def visible_command(
    agreement: AgreementFile,
    format: Annotated[Format, typer.Option(help="For people, or one JSON object a party.")] = Format.TEXT,
) -> None:
    """Print who may see what under an agreement: one row a party; a party that is not there sees what `public` does.

    Example: tocsin agreement visible examples/at-tanf/with-mechanisms.yaml
    """
    from tocsin.agreement.load import load
    from tocsin.agreement.visible import compile_policy, table

    rows = table(compile_policy(load(agreement)))
    if format is Format.JSON:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        sys.stderr.write("Nobody sees anything: routing is not set.\n")
        return
    from rich.console import Console
    from rich.table import Table

    headings = list(dict.fromkeys(key for row in rows for key in row))
    shown = Table(*headings)
    for row in rows:
        shown.add_row(*(row.get(heading, "") for heading in headings))
    Console(width=160).print(shown)


def _state(what: str, agreement: Path, party: str, key: Path, out: Path, note: str) -> None:
    """Write what a party says about a version, signed."""
    from tocsin.agreement.load import load
    from tocsin.agreement.versions.signatures import What, sign, statement_of
    from tocsin.clock import now_us
    from tocsin.record.keys import load_key

    loaded = load(agreement)
    statement = statement_of(loaded, party=party, what=What(what), at_us=now_us(), note=note)
    signed = sign(statement, load_key(key).seed)
    try:
        with out.open("xb") as file:
            file.write(bytes(signed))
    except FileExistsError:
        sys.stderr.write(f"tocsin: {out}: there is a file already; a signature is never overwritten\n")
        raise typer.Exit(2) from None
    sys.stderr.write(
        f"{party}: {what} of {loaded.id} version {statement.version}, {statement.digest[:16]}…, in {out}\n"
    )
