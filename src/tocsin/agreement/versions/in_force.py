"""Versions: which version of an agreement is in force at which instant: one, or none, never two.

A version comes into force at its `effective.from`, and not before every signatory has signed its digest: the parties
whose `consent.state` is `signed`. That is what is checked of the amendment rule; `amendment.procedure` is words for
people and is not read. A later version (a higher number) ends the earlier ones for good from its first instant on.
Once in force a version stays until its end or the next one: an objection or withdrawal after that is recorded and
shown, and ends nothing by itself, since leaving is what `exit` is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.model import Agreement, Consent
from tocsin.agreement.schedule import Windows
from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.signatures import Signed, What, check_version
from tocsin.agreement.watchlist import Watchlist
from tocsin.errors import AgreementError, VerificationError


class InForce(NamedTuple):
    """One version and the time in which it is the one in force, half-open; None where there is no bound."""

    agreement: Agreement
    from_us: int | None
    to_us: int | None

    def holds(self, at_us: int) -> bool:
        """Return True if the version is in force at an instant."""
        return (self.from_us is None or self.from_us <= at_us) and (self.to_us is None or at_us < self.to_us)


class Signing(Struct, frozen=True, kw_only=True):
    """How far a version is signed.

    Attributes
    ----------
    signatories : tuple of str
        The parties whose signature is needed.
    signed : dict of str to int
        Of them, those whose newest word is a signature, and since when.
    against : dict of str to What
        Parties whose newest word is an objection or a withdrawal, signatories or not.
    complete_us : int or None
        When the last needed signature was given; None while one is missing.
    """

    signatories: tuple[str, ...]
    signed: dict[str, int]
    against: dict[str, What]
    complete_us: int | None

    @property
    def missing(self) -> tuple[str, ...]:
        """The signatories whose signature is missing."""
        return tuple(party for party in self.signatories if party not in self.signed)


def signatories_of(agreement: Agreement) -> tuple[str, ...]:
    """Return the parties that say in the agreement that they sign it."""
    return tuple(
        party.id
        for party in given(agreement.parties) or ()
        if (consent := given(party.consent)) is not None and consent.state is Consent.SIGNED
    )


def signing_of(agreement: Agreement, signatures: Iterable[Signed], *, until_us: int | None = None) -> Signing:
    """Return how far a version is signed by verified statements about it.

    Parameters
    ----------
    agreement : Agreement
    signatures : iterable of Signed
        Verified (`signatures.verify`); those about other versions are left out.
    until_us : int or None
        Only what was said by then counts; None for all.

    Notes
    -----
    Of one party the newest word counts; of one instant, the one against.
    """
    newest: dict[str, Signed] = {}
    for said in signatures:
        at_us = said.statement.at_us
        if not _is_about(said, agreement) or (until_us is not None and at_us > until_us):
            continue
        known = newest.get(said.statement.party)
        if known is None or _rank(said) > _rank(known):
            newest[said.statement.party] = said
    signatories = signatories_of(agreement)
    since = {
        party: newest[party].statement.at_us
        for party in signatories
        if party in newest and newest[party].statement.what is What.SIGNATURE
    }
    return Signing(
        signatories=signatories,
        signed=since,
        against={p: s.statement.what for p, s in newest.items() if s.statement.what is not What.SIGNATURE},
        complete_us=max(since.values(), default=None) if len(since) == len(signatories) else None,
    )


def versions_in_force(agreements: Sequence[Agreement], signatures: Sequence[Signed] | None = None) -> list[InForce]:
    """Return the versions that are ever in force, each with its time, in order of time.

    Parameters
    ----------
    agreements : sequence of Agreement
        Versions of one agreement, in any order.
    signatures : sequence of Signed or None
        Verified statements. None does not ask for signatures: only `effective` counts, as in a draft or an example.

    Returns
    -------
    list of InForce
        Disjoint. A version that no instant is left for (unsigned, ended before it began, overtaken) is not in it.

    Raises
    ------
    AgreementError
        For versions of two agreements, a version without number, two different ones of one number, or one that follows
        another and does not say from when.
    """
    ordered = _ordered(agreements)
    found: list[InForce] = []
    next_us: int | None = None
    for agreement in reversed(ordered):
        effective = given(agreement.effective)
        from_us = given(effective.from_us) if effective else None
        to_us = given(effective.to_us) if effective else None
        if from_us is None and agreement is not ordered[0]:
            raise AgreementError(
                f"effective.from {agreement.state('effective.from')}",
                expected="its instant, since it follows another version",
                place=agreement.where("effective.from"),
            )
        if signatures is not None and signatories_of(agreement):
            from_us = _signed_from(agreement, signatures, from_us)
            if from_us is None:
                continue
        end_us = min((end for end in (to_us, next_us) if end is not None), default=None)
        if from_us is None or end_us is None or from_us < end_us:
            found.append(InForce(agreement, from_us, end_us))
        if from_us is not None:
            next_us = from_us if next_us is None else min(next_us, from_us)
    return found[::-1]


def version_of_the_day(
    agreements: Sequence[Agreement], at_us: int, signatures: Sequence[Signed] | None = None
) -> Agreement | None:
    """Return the version in force at an instant; None where none is. See `versions_in_force`."""
    return next((v.agreement for v in versions_in_force(agreements, signatures) if v.holds(at_us)), None)


def watchlist_in_force(version: InForce) -> Watchlist:
    """Return the watchlist of a version, in force for its own time and no longer.

    Give every version's watch all of the reports: of a track that is inside when the versions change the one then tells
    `zone_ended` and the other `zone_began`, at the instant of the change (`watch/versions.py` puts the two together).

    Raises
    ------
    AgreementErrors
        As `compile_watchlist`.
    """
    watchlist = compile_watchlist(version.agreement)
    return replace(watchlist, in_force=Windows(spans=((version.from_us, version.to_us),)))


def _signed_from(agreement: Agreement, signatures: Sequence[Signed], from_us: int | None) -> int | None:
    """Return when a version with signatories comes into force; None if it does not.

    All must have signed at some instant at or after `effective.from`: the first one counts, whatever is said later.
    """
    instants = {s.statement.at_us for s in signatures if _is_about(s, agreement)}
    begins = {from_us} if from_us is not None else set()
    for at_us in sorted(begins | {i for i in instants if from_us is None or i > from_us}):
        if signing_of(agreement, signatures, until_us=at_us).complete_us is not None:
            return at_us
    return None


def _is_about(signed: Signed, agreement: Agreement) -> bool:
    try:
        check_version(signed, agreement)
    except VerificationError:
        return False
    return True


def _rank(signed: Signed) -> tuple[int, bool, bytes]:
    return signed.statement.at_us, signed.statement.what is not What.SIGNATURE, bytes(signed)


def _ordered(agreements: Sequence[Agreement]) -> list[Agreement]:
    """Return versions of one agreement by number, each once."""
    found: dict[int, Agreement] = {}
    for agreement in agreements:
        number = given(agreement.version)
        place = agreement.where("version")
        if number is None:
            raise AgreementError(f"version {agreement.state('version')}", expected="its number", place=place)
        if agreement.id != agreements[0].id:
            place = agreement.where("id")
            raise AgreementError(f"agreement {agreement.id}", expected=f"versions of {agreements[0].id}", place=place)
        if number in found and found[number].digest != agreement.digest:
            raise AgreementError(
                f"version {number} a second time", expected="another number for another text", place=place
            )
        found[number] = agreement
    return [found[number] for number in sorted(found)]
