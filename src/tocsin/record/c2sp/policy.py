"""Trust policy: which witnesses must have cosigned a checkpoint before it is believed.

Implements C2SP tlog-policy: logs, witnesses, groups of k of n, one quorum. A record carries its policy as a
`witnesses` entry, so it cannot change unseen; the agreement is where the parties agreed on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.note import SignatureType, Vkey, parse_vkey

NONE = "none"
"""The quorum that asks for nobody; no witness or group may have this name."""

MAX_POLICY_BYTES = 256 * 1024
"""Bytes of the largest policy read: 100 ML-DSA-44 witnesses (1.8 kB each in a vkey)."""

_COSIGNERS = (SignatureType.COSIGNATURE_ED25519, SignatureType.COSIGNATURE_MLDSA44)
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Witness(Struct, frozen=True, kw_only=True):
    """A cosigner in a policy.

    Attributes
    ----------
    name : str
        What the policy calls it; its key's own name may differ.
    vkey : Vkey
    url : str
        Submission prefix of C2SP tlog-witness; empty if none is given.
    """

    name: str
    vkey: Vkey
    url: str = ""


class Policy(Struct, frozen=True, kw_only=True):
    """Whom to believe.

    Attributes
    ----------
    logs : tuple of Vkey
    witnesses : tuple of Witness
    groups : mapping of str to (int, tuple of str)
        How many of which witnesses and groups.
    quorum : str
        A witness, a group, or `NONE`.
    """

    logs: tuple[Vkey, ...]
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def is_met(self, cosigned: Collection[Vkey]) -> bool:
        """Return True if these keys' cosignatures are enough."""
        met = {NONE} | {witness.name for witness in self.witnesses if witness.vkey in cosigned}
        for name, (needed, members) in self.groups.items():  # defined before use, so one pass is enough
            if sum(member in met for member in members) >= needed:
                met.add(name)
        return self.quorum in met

    def asks_the_same(self, other: Policy) -> bool:
        """Return True if another policy asks for the same cosignatures; logs and addresses may differ."""
        mine, theirs = ({(w.name, w.vkey) for w in policy.witnesses} for policy in (self, other))
        return mine == theirs and dict(self.groups) == dict(other.groups) and self.quorum == other.quorum

    @property
    def words(self) -> str:
        """The quorum for people, such as "2 of coalition, syria, un"."""
        if self.quorum in self.groups:
            needed, members = self.groups[self.quorum]
            return f"{needed} of {', '.join(members)}"
        return self.quorum


def parse_policy(text: str) -> Policy:
    """Return the policy in a file's text.

    Raises
    ------
    VerificationError
        For an unknown line, a name or key that stands twice, a name used before it is defined, a threshold out of
        range, or not exactly one quorum; with the line's number.
    """
    if len(text.encode()) > MAX_POLICY_BYTES or _CONTROL.search(text):
        raise VerificationError(f"a policy over {MAX_POLICY_BYTES:,} bytes or with control characters")
    logs: list[Vkey] = []
    witnesses: list[Witness] = []
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    quorum: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        known = {witness.name for witness in witnesses} | set(groups)
        try:
            match words:
                case []:
                    pass
                case [first, *_] if first.startswith("#"):
                    pass
                case ["log", vkey] | ["log", vkey, _]:
                    logs.append(_key(vkey, (SignatureType.ED25519, *_COSIGNERS), logs))
                case ["witness", name, vkey, *url] if len(url) <= 1:
                    _require_new(name, known)
                    key = _key(vkey, _COSIGNERS, [witness.vkey for witness in witnesses])
                    witnesses.append(Witness(name=name, vkey=key, url="".join(url)))
                case ["group", name, threshold, *members] if members:
                    _require_new(name, known)
                    groups[name] = _group(threshold, members, known)
                case ["quorum", name] if name == NONE or name in known:
                    quorum.append(name)
                case _:
                    raise VerificationError(f"no log, witness, group or quorum line: {line[:60]!r}")
        except VerificationError as error:
            raise VerificationError(f"policy line {number}: {error}") from None
    if len(quorum) != 1:
        raise VerificationError(f"a policy with {len(quorum)} quorum lines: expected 1")
    return Policy(logs=tuple(logs), witnesses=tuple(witnesses), groups=groups, quorum=quorum[0])


def read_policy(payload: Any, index: int) -> Policy:
    """Return the policy in a `witnesses` entry's open payload.

    Raises
    ------
    VerificationError
        If there is none, or it cannot be read.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("policy"), str):
        raise VerificationError(f"entry {index} names witnesses without a policy")
    return parse_policy(payload["policy"])


def format_policy(log: Vkey | Sequence[Vkey], witnesses: Sequence[Witness], needed: int) -> str:
    """Return the text of a policy for one log or several: so many of these witnesses must have cosigned.

    Raises
    ------
    VerificationError
        If `needed` is not 0 to the number of witnesses, or a name or key cannot stand in a policy.
    """
    lines = [f"log {key}" for key in ([log] if isinstance(log, Vkey) else log)]
    lines += [" ".join(["witness", witness.name, str(witness.vkey), witness.url]).rstrip() for witness in witnesses]
    if needed:
        lines.append(" ".join(["group", "parties", str(needed), *(witness.name for witness in witnesses)]))
    lines.append(f"quorum {'parties' if needed else NONE}")
    text = "\n".join(lines) + "\n"
    parse_policy(text)
    return text


def _key(text: str, allowed: Collection[SignatureType], already: Sequence[Vkey]) -> Vkey:
    key = parse_vkey(text)
    if key.type not in allowed:
        raise VerificationError(f"a key of type {key.type.name}: expected {', '.join(t.name for t in allowed)}")
    if any(key.public == other.public for other in already):
        raise VerificationError(f"the key of {key.name} stands here already")
    return key


def _require_new(name: str, known: Collection[str]) -> None:
    if name == NONE or name in known:
        raise VerificationError(f"the name {name!r} is taken")


def _group(threshold: str, members: Sequence[str], known: Collection[str]) -> tuple[int, tuple[str, ...]]:
    if len(set(members)) != len(members) or not set(members) <= set(known):
        raise VerificationError("a group whose members are not distinct and defined above it")
    count = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
    if _NUMBER.fullmatch(count) is None or int(count) > len(members):
        raise VerificationError(f"a threshold {threshold!r} of {len(members)} members")
    return int(count), tuple(members)
