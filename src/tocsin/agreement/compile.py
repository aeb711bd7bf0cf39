"""Compile an agreement into what the watch needs (`Watchlist`) and what the ladder needs (`Playbook`).

Settles names, quantities, zones and times; what is declared `not_set` yields nothing. What would have to be guessed is
refused, all of it together. Says nothing about what is missing: `lint.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tocsin.agreement import watchlist as compiled
from tocsin.agreement.geometry import band_of, regions_of
from tocsin.agreement.model import Agreement
from tocsin.agreement.playbook import (
    MOVER,
    ConductTrigger,
    Level,
    Playbook,
    SilenceTrigger,
    StandDown,
)
from tocsin.agreement.playbook import Alternate as CompiledAlternate
from tocsin.agreement.playbook import Channel as CompiledChannel
from tocsin.agreement.playbook import Relay as CompiledRelay
from tocsin.agreement.rulebook import rules_of
from tocsin.agreement.schedule import schedule_of
from tocsin.agreement.terms.places import Span, Zone
from tocsin.agreement.terms.state import given
from tocsin.agreement.terms.telling import Alternate, Channel, LadderLevel, Order, Relay, StandDownOf, Trigger
from tocsin.agreement.watchlist import Conduct, Watchlist
from tocsin.errors import AgreementError, AgreementErrors
from tocsin.geo.shapes import Region

ALL = "all"
"""Stands for everybody, and for every class."""

MOVER_WORDS = frozenset({"vessel", "aircraft", "vehicle", MOVER})
"""The agreement's own words for the one who moves."""

T = TypeVar("T")


class _Gather:
    """Runs steps that may be refused, keeping every refusal."""

    def __init__(self) -> None:
        self.errors: list[AgreementError] = []

    def __call__(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except AgreementErrors as error:
            self.errors += error.errors
        except AgreementError as error:
            self.errors.append(error)
        return None

    def done(self) -> None:
        if self.errors:
            raise AgreementErrors(sorted(self.errors, key=lambda e: (e.place.file, e.place.line, e.place.column)))


def compile_watchlist(agreement: Agreement) -> Watchlist:
    """Return the zones and rules of an agreement, ready for the watch.

    Raises
    ------
    AgreementErrors
        A zone without a valid shape, a name that is nobody's, a window without a zone, no version.
    """
    gather = _Gather()
    version = gather(lambda: _version(agreement))
    in_force = gather(lambda: _in_force(agreement))
    once = gather(lambda: _unique(agreement))
    told = given(agreement.zones) or ()
    areas = zip(told, regions_of(agreement, told), strict=True)
    zones = [gather(lambda z=zone, a=area: _zone(agreement, z, a)) for zone, area in areas]  # type: ignore[misc]
    rules = gather(lambda: rules_of(agreement))
    gather.done()
    assert version is not None and in_force is not None and rules is not None and once is None
    return Watchlist(
        agreement_id=agreement.id,
        version=version,
        digest=agreement.digest,
        in_force=in_force,
        zones=tuple(z for z in zones if z is not None),
        rules=rules,
    )


def compile_playbook(agreement: Agreement) -> Playbook:
    """Return the ladder of an agreement, its channels and its words, ready for warning.

    Raises
    ------
    AgreementErrors
        A level without a trigger, or that names a channel, text, zone, party, act or level that is not there.
    """
    gather = _Gather()
    version = gather(lambda: _version(agreement))
    channels = {c.id: _channel(agreement, c) for c in given(agreement.channels) or ()}
    texts = _texts(agreement)
    told = given(agreement.ladder) or ()
    levels = [gather(lambda v=level: _level(agreement, v, channels, texts)) for level in told]  # type: ignore[misc]
    for level in told:
        if sum(other.level == level.level for other in told) > 1:
            found = f"level {level.level} more than once"
            gather.errors.append(AgreementError(found, expected="each once", place=agreement.where(level.path)))
    stand_down = given(agreement.stand_down)
    down = gather(lambda: _stand_down(agreement, stand_down, texts)) if stand_down else None
    gather.done()
    assert version is not None
    end = given(agreement.end_of_ladder)
    languages = given(agreement.languages)
    return Playbook(
        agreement_id=agreement.id,
        version=version,
        levels=tuple(sorted((v for v in levels if v is not None), key=lambda v: v.level)),
        channels=channels,
        texts=texts,
        end_of_ladder=given(end.who) if end else None,
        call_within_s=given(end.ack_within_s) if end else None,
        call_alternates=(given(end.alternates) or ()) if end else (),
        stand_down=down,
        language=first_language(given(languages.authentic) if languages else None),
    )


def first_language(authentic: tuple[str, ...] | None) -> str:
    """Return the language of a text that names none: the first authentic one, else English."""
    return authentic[0] if authentic else "en"


def mover_or_party(name: str) -> str:
    """Return `MOVER` for the agreement's words for the one who moves, any other name unchanged."""
    return MOVER if name in MOVER_WORDS else name


def _version(agreement: Agreement) -> int:
    version = given(agreement.version)
    if version is None:
        raise AgreementError(
            f"version {agreement.state('version')}", expected="its number", place=agreement.where("version")
        )
    return version


def _in_force(agreement: Agreement) -> compiled.Schedule:
    effective = given(agreement.effective)
    span = Span(from_us=effective.from_us, to_us=effective.to_us) if effective else Span()
    return schedule_of([span], zone=None, place=agreement.where("effective"))


def _unique(agreement: Agreement) -> None:
    seen: set[str] = set()
    for zone in given(agreement.zones) or ():
        if zone.id in seen:
            raise AgreementError(
                f"zone {zone.id} a second time", expected="each id once", place=agreement.where(zone.path)
            )
        seen.add(zone.id)


def _zone(agreement: Agreement, zone: Zone, area: Region | AgreementError) -> compiled.Zone:
    clock = given(agreement.clock)
    band = band_of(agreement, zone)
    clear = given(zone.clear)
    clear_m, clear_s = (given(clear.distance_m), given(clear.for_s)) if clear else (None, None)
    classes, applies_to = given(zone.classes), given(zone.applies_to)
    for key, names in (("applies_to", applies_to), ("exempt", given(zone.exempt))):
        _known_parties(agreement, names or (), f"{zone.path}.{key}")
    if isinstance(area, AgreementError):
        raise area
    return compiled.Zone(
        zone_id=zone.id,
        kind=given(zone.kind) or "zone",
        clause=zone.path,
        region=area,
        schedule=schedule_of(
            given(zone.windows) or (),
            zone=given(clock.zone) if clock else None,
            place=agreement.where(f"{zone.path}.windows"),
        ),
        lower_m=band.lower_m,
        upper_m=band.upper_m,
        applies_to=None if applies_to is None or ALL in applies_to else frozenset(applies_to),
        exempt=frozenset(given(zone.exempt) or ()),
        categories=None if classes is None or ALL in classes else frozenset(classes),
        clear_m=0.0 if clear_m is None else clear_m,
        clear_s=compiled.CLEAR_S if clear_s is None else clear_s,
        is_exemption=zone.is_exemption,
    )


def _known_parties(agreement: Agreement, names: tuple[str, ...], path: str) -> None:
    parties = {p.id for p in given(agreement.parties) or ()} | {ALL} | MOVER_WORDS
    for name in names:
        if name not in parties:
            raise AgreementError(f"{name!r}", expected="the id of a party", place=agreement.where(path))


def _channel(agreement: Agreement, channel: Channel) -> CompiledChannel:
    ends = (*(given(channel.to) or ()), *(given(channel.between) or ()))
    return CompiledChannel(
        channel_id=channel.id,
        kind=given(channel.kind) or "unknown",
        to=frozenset(mover_or_party(name) for name in ends),
        languages=given(channel.languages) or (),
        can_acknowledge=given(channel.ack) != "impossible",
        backup=given(channel.backup),
        group_within_s=given(channel.group_within_s),
        clause=channel.path,
    )


def _texts(agreement: Agreement) -> dict[str, Mapping[str, str]]:
    languages = given(agreement.languages)
    default = first_language(given(languages.authentic) if languages else None)
    told = given(agreement.texts) or {}
    return {key: {default: text} if isinstance(text, str) else dict(text) for key, text in told.items()}


def _level(
    agreement: Agreement, level: LadderLevel, channels: Mapping[str, CompiledChannel], texts: Mapping[str, object]
) -> Level:
    tell, by, text = given(level.tell) or (), given(level.channels) or (), given(level.text)
    repeat = given(level.repeat)
    _known_parties(agreement, tell, f"{level.path}.tell")
    for name in by:
        if name not in channels:
            raise AgreementError(
                f"{name!r}", expected="the id of a channel", place=agreement.where(f"{level.path}.channels")
            )
    _known_text(agreement, text, f"{level.path}.text", texts)
    return Level(
        level=level.level,
        trigger=_trigger(agreement, given(level.trigger), f"{level.path}.trigger"),
        tell=tuple(mover_or_party(name) for name in tell),
        channels=by,
        text=text,
        ack_within_s=given(level.ack_within_s),
        repeat_times=(given(repeat.times) or 0) if repeat else 0,
        repeat_every_s=given(repeat.every_s) if repeat else None,
        in_turn=given(level.order) is Order.IN_TURN,
        turn_s=given(level.turn_s),
        relays=tuple(_relay(agreement, relay, tell) for relay in given(level.relay) or ()),
        alternates=tuple(_alternate(agreement, other, tell) for other in given(level.alternates) or ()),
        ack_expires_s=given(level.ack_expires_s),
        on_no_ack=given(level.on_no_ack),
        on_ack=given(level.on_ack),
        clause=level.path,
    )


def _relay(agreement: Agreement, relay: Relay, tell: tuple[str, ...]) -> CompiledRelay:
    to, by = given(relay.to), given(relay.by)
    if to is None or to not in tell:
        raise AgreementError(f"to: {to!r}", expected="one of tell", place=agreement.where(relay.path))
    if by is None:
        raise AgreementError("no by", expected="the party that passes it on", place=agreement.where(relay.path))
    _known_parties(agreement, (by,), f"{relay.path}.by")
    return CompiledRelay(to=mover_or_party(to), by=mover_or_party(by), within_s=given(relay.within_s))


def _alternate(agreement: Agreement, other: Alternate, tell: tuple[str, ...]) -> CompiledAlternate:
    of, who = given(other.for_), given(other.who)
    if of is None or of not in tell:
        raise AgreementError(f"for: {of!r}", expected="one of tell", place=agreement.where(other.path))
    if who is None or who in tell:
        raise AgreementError(f"who: {who!r}", expected="somebody else", place=agreement.where(other.path))
    return CompiledAlternate(of=mover_or_party(of), who=mover_or_party(who), after_s=given(other.after_s))


def _known_text(agreement: Agreement, text: str | None, path: str, texts: Mapping[str, object]) -> None:
    if text is not None and text not in texts:
        raise AgreementError(f"text {text!r}", expected="one of texts", place=agreement.where(path))


def _trigger(agreement: Agreement, trigger: Trigger | None, path: str) -> ConductTrigger | SilenceTrigger:
    place = agreement.where(path)
    if trigger is None:
        raise AgreementError(f"trigger {agreement.state(path)}", expected="what the level begins on", place=place)
    silence, event = given(trigger.no_ack), given(trigger.event)
    if (silence is None) == (event is None):
        raise AgreementError("a trigger with both or neither", expected="event, or no_ack", place=place)
    if silence is not None:
        if all(v.level != silence for v in given(agreement.ladder) or ()):
            raise AgreementError(f"no_ack: {silence}", expected="the number of a level", place=place)
        return SilenceTrigger(level=silence)
    assert event is not None
    acts = given(trigger.with_) or ()
    conduct = given(agreement.conduct)
    known = {act.id for act in (given(conduct.prohibited) if conduct else None) or ()}
    for act in acts:
        if act not in known:
            raise AgreementError(f"act {act!r}", expected="the id of a prohibited act", place=place)
    return ConductTrigger(conduct=event, zone_id=_known_zone(agreement, trigger, path), acts=frozenset(acts))


def _known_zone(agreement: Agreement, trigger: Trigger, path: str) -> str:
    name = given(trigger.zone)
    if name is None or all(z.id != name for z in given(agreement.zones) or ()):
        raise AgreementError(f"zone {name!r}", expected="the id of a zone", place=agreement.where(f"{path}.zone"))
    return name


def _stand_down(agreement: Agreement, told: StandDownOf, texts: Mapping[str, object]) -> StandDown | None:
    when, false_alarm = given(told.when), given(told.false_alarm)
    event = given(when.event) if when else None
    if when is None or event is None:
        return None
    apology = given(false_alarm.apology_text) if false_alarm else None
    _known_text(agreement, given(told.text), f"{told.path}.text", texts)
    _known_text(agreement, apology, f"{told.path}.false_alarm.apology_text", texts)
    return StandDown(
        conduct=Conduct(event),
        zone_id=_known_zone(agreement, when, f"{told.path}.when"),
        tell=tuple(mover_or_party(name) for name in given(told.tell) or ()),
        text=given(told.text),
        false_alarm_text=apology,
    )


def zones_bound(agreement: Agreement) -> Iterator[Zone]:
    """Yield the zones that bind somebody: all but the exemptions."""
    return (zone for zone in given(agreement.zones) or () if not zone.is_exemption)
