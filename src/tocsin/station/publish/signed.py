"""Signed: whose key is whose, and what parties said about versions, read from files and verified.

The format of a signature is `agreement/versions/signatures.py`'s; that of a key the record's (C2SP vkey).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tocsin.agreement.load import load
from tocsin.agreement.model import Agreement
from tocsin.agreement.source.document import compose
from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.signatures import Signed, check_version, parse_signed, verify
from tocsin.errors import AgreementError, Place, SettingError, VerificationError
from tocsin.record.c2sp.note import parse_vkey


def read_keys(path: Path) -> dict[str, bytes]:
    """Return the public keys of a file of `party: public key`, or of an agreement whose parties have theirs in it.

    An agreement's own keys say nothing about that agreement: give an earlier version that is known to be genuine.

    Returns
    -------
    dict of str to bytes
        By party, 32 bytes each.

    Raises
    ------
    SettingError
        If it is no such mapping, or an agreement without keys.
    """
    try:
        document = compose(path.read_bytes(), file=str(path))
    except AgreementError as error:
        raise SettingError(error.found, expected=error.expected, place=error.place) from error
    told = document.root.value
    if not isinstance(told, dict):
        raise SettingError("no mapping", expected="party: public key", place=Place(str(path)))
    if "format" in told:
        return _keys_of(load(path))
    return {party: _public(node.value, Place(str(path), node.line, node.column, party)) for party, node in told.items()}


def _keys_of(agreement: Agreement) -> dict[str, bytes]:
    found = {
        party.id: _public(key, agreement.where(f"{party.path}.key"))
        for party in given(agreement.parties) or ()
        if (key := given(party.key)) is not None
    }
    if not found:
        raise SettingError("no party with a key", expected="parties[].key", place=agreement.where("parties"))
    return found


def read_signatures(paths: Iterable[Path], versions: Sequence[Agreement], *, keys: Mapping[str, bytes]) -> list[Signed]:
    """Return what parties said about any of these versions, verified.

    Parameters
    ----------
    paths : iterable of Path
        Signature files, or folders of them (`*.json`).
    versions : sequence of Agreement
        One or more.
    keys : mapping of str to bytes
        By party; see `read_keys`.

    Raises
    ------
    AgreementError
        If a file is no signature.
    VerificationError
        If a signature is not by its party, or is about none of these versions: it names the file.
    """
    found = []
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            signed = parse_signed(file.read_bytes(), file=str(file))
            try:
                verify(signed, keys=keys)
                _check_any(signed, versions)
            except VerificationError as error:
                raise VerificationError(f"{file}: {error}") from error
            found.append(signed)
    return sorted(found, key=lambda signed: (signed.statement.at_us, bytes(signed)))


def _check_any(signed: Signed, versions: Sequence[Agreement]) -> None:
    last: VerificationError | None = None
    for agreement in versions:
        try:
            check_version(signed, agreement)
            return
        except VerificationError as error:
            last = error
    if last is not None:
        raise last


def _public(told: object, place: Place) -> bytes:
    try:
        return parse_vkey(told if isinstance(told, str) else "").public
    except VerificationError as error:
        expected = "a public key as `tocsin agreement key` prints it"
        raise SettingError(str(error), expected=expected, place=place) from error
