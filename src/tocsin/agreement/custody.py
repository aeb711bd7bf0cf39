"""Custody: the agreement's witnesses, quorum and log keys as plain data, ready for a record's trust policy.

Compiles `record.witnesses`, `record.quorum` and `record.log_keys` (docs/format/agreement.md). Keys are texts in C2SP's
vkey form, of which name, id, type and length are checked here; the record's own reader, which this room may not know,
checks the point on the curve. Whoever plugs the rooms together hands one to the other.

References
----------
C2SP signed-note, "Verifier keys" and "Signature types".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from msgspec import Struct

from tocsin.agreement.model import Agreement
from tocsin.agreement.terms.mechanisms import RecordKeeping, WitnessOf
from tocsin.agreement.terms.state import given
from tocsin.errors import AgreementError, AgreementErrors

LOG_KEY_TYPES = {1: 32}
"""Signature type of a log's key and the bytes of a public key: Ed25519."""

COSIGNER_KEY_TYPES = {4: 32, 6: 1_312}
"""The same of a witness's key: Ed25519 and ML-DSA-44 cosignatures."""

_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*")


class AgreedWitness(Struct, frozen=True, kw_only=True):
    """One party's node.

    Attributes
    ----------
    party : str
        The party's id.
    key : str
        Its vkey.
    url : str
        Where it answers, http or https; empty if the agreement does not say.
    """

    party: str
    key: str
    url: str


class Custody(Struct, frozen=True, kw_only=True):
    """Whose memory stands behind the record.

    Attributes
    ----------
    witnesses : tuple of AgreedWitness
        In the agreement's order; at least one.
    quorum : int
        How many of them must have seen a tree, 1 to all.
    log_keys : tuple of str
        Vkeys of the logs kept under the agreement; empty if it names none.
    """

    witnesses: tuple[AgreedWitness, ...]
    quorum: int
    log_keys: tuple[str, ...] = ()


def compile_custody(agreement: Agreement) -> Custody | None:
    """Return the agreement's witnesses and quorum, or None if it names no witness.

    A blank quorum asks for every one of them: less must be agreed.

    Raises
    ------
    AgreementErrors
        For a witness that is no party or stands twice, a key that is missing or no vkey of its sort, an address that
        is no http or https URL, and a quorum that is not 1 to the number of witnesses.
    """
    told = given(agreement.record)
    named = given(told.witnesses) if told else None
    if told is None or not named:
        return None
    keyless = [
        (f"{one.path}.key", f"key {agreement.state(f'{one.path}.key')}", f"the vkey that {one.party}'s node prints")
        for one in named
        if given(one.key) is None
    ]
    errors = [
        AgreementError(found, expected=expected, place=agreement.where(path))
        for path, found, expected in [*keyless, *custody_faults(agreement, told, named)]
    ]
    if errors:
        raise AgreementErrors(errors)
    quorum = given(told.quorum)
    return Custody(
        witnesses=tuple(
            AgreedWitness(party=one.party, key=given(one.key) or "", url=given(one.url) or "") for one in named
        ),
        quorum=len(named) if quorum is None else quorum,
        log_keys=given(told.log_keys) or (),
    )


def custody_faults(
    agreement: Agreement, told: RecordKeeping, named: tuple[WitnessOf, ...]
) -> list[tuple[str, str, str]]:
    """Return what stands at odds in the terms of witnesses: path, found, expected. A blank is not at odds."""
    parties = {party.id for party in given(agreement.parties) or ()}
    faults: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for one in named:
        if parties and one.party not in parties:  # an agreement without parties is PAR-01's matter
            faults.append((f"{one.path}.party", repr(one.party), "the id of a party"))
        key, url = given(one.key), given(one.url)
        if key is not None and not is_vkey(key, COSIGNER_KEY_TYPES):
            faults.append((f"{one.path}.key", repr(key[:60]), "a cosigner's vkey, NAME+ID+KEY of type 4 or 6"))
        if url is not None and _URL.fullmatch(url) is None:
            faults.append((f"{one.path}.url", repr(url), "an http or https URL"))
        for name, value in (("party", one.party), ("key", key)):
            if value and value in seen:
                faults.append((f"{one.path}.{name}", f"{value[:60]!r} a second time", f"each {name} once"))
            seen |= {value} if value else set()
    for key in given(told.log_keys) or ():
        if not is_vkey(key, LOG_KEY_TYPES):
            faults.append((f"{told.path}.log_keys", repr(key[:60]), "a log's vkey, NAME+ID+KEY of type 1"))
    quorum = given(told.quorum)
    if quorum is not None and not 1 <= quorum <= len(named):
        faults.append((f"{told.path}.quorum", f"{quorum} of {len(named)} witnesses", f"1 to {len(named)}"))
    return faults


def is_vkey(text: str, types: dict[int, int]) -> bool:
    """Return True if a text is a vkey whose id fits, of one of these types (with their bytes of public key).

    Examples
    --------
    >>> is_vkey("log.example/tanf+d00d65c9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c", LOG_KEY_TYPES)
    True
    >>> is_vkey("log.example/tanf+d00d65c8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c", LOG_KEY_TYPES)
    False
    """
    match = _VKEY.fullmatch(text)
    if match is None:
        return False
    name, key_id, encoded = match.groups()
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    is_canonical = base64.b64encode(key).decode() == encoded
    is_of_type = types.get(key[0] if key else 0) == len(key) - 1
    return is_canonical and is_of_type and hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
