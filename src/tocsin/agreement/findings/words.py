"""What an agreement sets, in a few words for a stranger: its parties, zones, prohibited acts and levels.

Left out: what it does not set, which is the linter's.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.agreement.compile import MOVER_WORDS
from tocsin.agreement.model import Agreement, Consent, Party
from tocsin.agreement.rules.check import listed
from tocsin.agreement.terms.places import Geometry, Position, Zone
from tocsin.agreement.terms.state import Maybe, given
from tocsin.agreement.terms.telling import LadderLevel
from tocsin.agreement.terms.types import Vague
from tocsin.units import METRES, format_duration

M_PER_KM = METRES["km"]

_CONSENTS = {
    Consent.SIGNED: "signed",
    Consent.ACCEPTED: "accepted",
    Consent.DECLARED: "declared its consent",
    Consent.VIA: "bound through another",
    Consent.DISPUTED: "whether it consents is disputed",
    Consent.REJECTED: "rejected it",
    Consent.NONE: "did not consent",
}


class Row(Struct, frozen=True, kw_only=True):
    """One level of the ladder, as the page shows it; None where the agreement has a blank.

    A level that begins on silence need not reach the one who moves: `reaches_mover` is then None.
    """

    level: int
    begins: str | None
    tells: str | None
    by: str | None
    reaches_mover: bool | None
    waits: str | None
    then: str | None


def party_in_words(party: Party) -> tuple[str, str]:
    """Return a party's name, and what the agreement says of its consent."""
    consent = given(party.consent)
    bound = given(party.bound_by)
    told = "its consent is not set" if consent is None else _CONSENTS[consent.state]
    if consent is not None and consent.state is Consent.VIA:
        told = f"bound through {given(consent.by) or 'somebody who is not named'}"
    return given(party.name) or party.id, f"{told}; bound by {bound}" if bound else told


def zone_in_words(zone: Zone) -> tuple[str, str]:
    """Return a zone's id, and its kind and shape as they were agreed."""
    geometry = given(zone.geometry)
    kind = given(zone.kind)
    return zone.id, f"{str(kind).replace('_', '-')} zone, {_shape(geometry)}" if kind else _shape(geometry)


def _shape(geometry: Geometry | None) -> str:
    circle, corridor, sector = (
        (given(geometry.circle), given(geometry.corridor), given(geometry.sector)) if geometry else (None, None, None)
    )
    if circle is not None:
        return f"{_length(circle.radius_m)} around {_anchor(circle.centre)}"
    if corridor is not None:
        return f"{_length(corridor.half_width_m)} to each side of {given(corridor.line) or 'a line that is not set'}"
    if sector is not None:
        return f"{_length(sector.radius_m)} from {_anchor(sector.centre)}, between two bearings"
    drawn = given(geometry.polygon) if geometry else None
    if drawn is not None:
        return f"the area drawn as {drawn}"
    if geometry is not None and geometry.coordinates is not None:
        return "an area drawn in the text"
    return "its shape is not set"


def _length(told: Maybe[float | Vague]) -> str:
    if isinstance(told, float):  # what was agreed is not rounded
        return f"{told:.10g} m" if told < M_PER_KM else f"{told / M_PER_KM:.10g} km"
    return told.text if isinstance(told, Vague) else "a distance that is not set"


def _anchor(told: Maybe[str | Position]) -> str:
    if isinstance(told, Position):
        return f"latitude {told.lat_deg:g}, longitude {told.lon_deg:g}"
    return told if isinstance(told, str) else "a point that is not set"


def acts_in_words(agreement: Agreement) -> list[tuple[str, str | None]]:
    """Return every prohibited act, and the conduct by which the watch knows it, if it does."""
    conduct = given(agreement.conduct)
    acts = []
    for act in (given(conduct.prohibited) if conduct else None) or ():
        test = given(act.test)
        seen = f"{test.event} at {given(test.zone)}" if test and given(test.zone) else str(test.event) if test else None
        acts.append((given(act.what) or act.id, seen))
    return acts


def ladder_row(agreement: Agreement, level: LadderLevel) -> Row:
    """Return one level of the ladder as the page shows it."""
    trigger, repeat = given(level.trigger), given(level.repeat)
    begins = None
    if trigger is not None:
        event, silence = given(trigger.event), given(trigger.no_ack)
        begins = f"{event} at {given(trigger.zone)}" if event else f"silence after level {silence}" if silence else None
    waits = given(level.ack_within_s)
    times, every = (given(repeat.times), given(repeat.every_s)) if repeat else (None, None)
    again = f", {times} more times every {format_duration(every)}" if times and every else ""
    names = given(level.channels) or ()
    ends = {
        end
        for channel in given(agreement.channels) or ()
        if channel.id in names
        for end in (*(given(channel.to) or ()), *(given(channel.between) or ()))
    }
    zone = next((z for z in given(agreement.zones) or () if trigger and z.id == given(trigger.zone)), None)
    bound = set(given(zone.applies_to) or ()) if zone else set()
    return Row(
        level=level.level,
        begins=begins,
        tells=listed(given(level.tell) or ()) if given(level.tell) else None,
        by=listed(names) if names else None,
        reaches_mover=bool(ends & (MOVER_WORDS | bound)) if trigger and given(trigger.event) else None,
        waits=None if waits is None else f"{format_duration(waits)}{again}",
        then=given(level.on_no_ack),
    )
