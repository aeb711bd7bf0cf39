"""WRN: warning. A ladder of words that reaches the one who moves, waits for an answer, and ends at a person."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.compile import MOVER_WORDS, first_language
from tocsin.agreement.rules.budget import time_budget
from tocsin.agreement.rules.check import Gap, Severity, View, check, listed, state_of
from tocsin.agreement.terms.state import State, given
from tocsin.agreement.terms.telling import Channel

MEDIA = {
    "vhf": "VHF radio", "dsc": "VHF radio", "ais_safety_message": "VHF radio", "ais": "VHF radio", "radio": "radio",
    "hf": "HF radio", "uhf": "UHF radio", "satcom": "satellite", "satellite_phone": "satellite", "phone": "telephone",
    "voice": "telephone", "sms": "mobile network", "mobile": "mobile network", "mail": "internet",
    "webhook": "internet", "matrix": "internet", "mqtt": "internet", "cap": "internet", "conference": "conference",
    "leaflet": "leaflet", "loudspeaker": "loudspeaker", "light": "light", "siren": "siren", "console": "console",
    "file": "file",
}  # fmt: skip
"""What carries each kind of channel; kinds on one medium fail together. An unknown kind is its own medium."""

NEVER = "never"
"""The only thing that software does beyond words."""


@check(
    "WRN-01",
    "a ladder exists",
    severity=Severity.ERROR,
    keys=("ladder", "ladder[].trigger", "ladder[].tell", "ladder[].channels"),
    fix="""
ladder:
  - {level: 1, trigger: {event: approach, zone: ring}, tell: [vehicle], channels: [radio], text: T1}
  - {level: 2, trigger: {no_ack: 1}, tell: [vehicle, north], channels: [radio, phone], text: T2}
""",
)
def ladder(view: View) -> Iterator[Gap]:
    """Find a ladder of fewer than two levels, or with levels that can never begin or tell nobody."""
    yield from view.need("ladder", "The agreement", "a ladder of warnings")
    if given(view.agreement.ladder) is not None and len(view.levels) < 2:
        yield view.odd("ladder", f"The ladder has {len(view.levels)} level of words; two or more come before its end.")
    conduct = given(view.agreement.conduct)
    acts = {act.id for act in (given(conduct.prohibited) if conduct else None) or ()}
    numbers = [v.level for v in view.levels]
    for level in view.levels:
        who = f"Level {level.level}"
        if numbers.count(level.level) > 1:
            yield view.odd(level.path, f"{who} stands more than once in the ladder.")
        yield from view.need_of(level, "trigger", who, "what it begins on")
        yield from view.need_of(level, "tell", who, "whom it tells")
        yield from view.need_of(level, "channels", who, "the channels it uses")
        trigger = given(level.trigger)
        if trigger is None:
            continue
        silence, zone = given(trigger.no_ack), given(trigger.zone)
        if silence is None and given(trigger.event) is None:
            yield from view.need_of(trigger, "event", who, "the event or silence it begins on")
        if silence is not None and silence not in numbers:
            yield view.odd(
                f"{trigger.path}.no_ack", f"{who} begins on silence after level {silence}, which is not there."
            )
        if given(trigger.event) is not None and zone is None:
            yield from view.need_of(trigger, "zone", who, "the zone of its trigger")
        if zone is not None and not view.knows_zone(zone):
            yield view.odd(f"{trigger.path}.zone", f"{who} begins at zone {zone}, which is not there.")
        for act in given(trigger.with_) or ():
            if acts and act not in acts:
                yield view.odd(f"{trigger.path}.with", f"{who} begins on act {act}, which is not in the list of acts.")


@check(
    "WRN-02",
    "reachable by the warned",
    severity=Severity.ERROR,
    keys=("ladder", "ladder[].channels", "channels", "channels[].to", "channels[].between"),
    fix="""
channels:
  - {id: radio, kind: radio, to: vehicle}
ladder:
  - {level: 1, tell: [vehicle], channels: [radio]}
""",
)
def reachable(view: View) -> Iterator[Gap]:
    """Find levels begun by conduct whose channels all end at somebody else, and channels that end at nobody told."""
    yield from view.need("ladder", "The agreement", "a ladder that reaches the one who moves")
    for level in view.levels:
        who = f"Level {level.level}"
        path = f"{level.path}.channels"
        told = _ends(given(level.tell) or ())
        for name in given(level.channels) or ():
            channel = view.channel_by_id.get(name)
            if channel is None and not view.channels:
                yield from view.need("channels", "The agreement", "any channel that could reach the one who moves")
            elif channel is None:
                yield view.odd(path, f"{who}: channel {name} is not among the channels.")
            elif told and channel_ends(channel) and not told & channel_ends(channel):
                yield view.odd(path, f"{who}: channel {name} ends at nobody whom the level tells.")
        for name in given(level.tell) or ():
            if not view.knows_party(name) and name not in MOVER_WORDS:
                yield view.odd(f"{level.path}.tell", f"{who}: it tells {name}, which is no party.")
        trigger = given(level.trigger)
        if trigger is None or given(trigger.event) is None or not given(level.channels):
            continue
        zone = next((z for z in view.zones if z.id == given(trigger.zone)), None)
        bound = frozenset(given(zone.applies_to) or ()) if zone else frozenset()
        channels = [c for n in given(level.channels) or () if (c := view.channel_by_id.get(n))]
        if channels and not any(channel_ends(c) & (_MOVER | bound) for c in channels):
            blanks = {state_of(end) for c in channels if not channel_ends(c) for end in (c.to, c.between)}
            state = next((s for s in (State.NOT_SET, State.SILENT) if s in blanks), State.SET)
            message = f"{who}: no channel ends at the one who moves; every one ends at somebody else."
            yield Gap(state, path, message)


@check(
    "WRN-03",
    "two independent channels",
    severity=Severity.ERROR,
    keys=("ladder", "ladder[].channels", "channels", "channels[].kind"),
    fix="""
channels:
  - {id: radio, kind: radio, to: vehicle, carrier: radio 243.0 MHz}
  - {id: phone, kind: satellite_phone, to: vehicle, carrier: satellite}
ladder:
  - {level: 1, channels: [radio, phone]}
""",
)
def independent(view: View) -> Iterator[Gap]:
    """Find levels without two channels on different media and carriers."""
    yield from view.need("ladder", "The agreement", "two independent channels at each level")
    for channel in view.channels:
        yield from view.need_of(channel, "kind", f"Channel {channel.id}", "what kind it is, and so what it fails with")
    for level in view.levels:
        names = given(level.channels)
        if names is None:
            yield from view.need_of(level, "channels", f"Level {level.level}", "two independent channels")
            continue
        channels = [view.channel_by_id[n] for n in names if n in view.channel_by_id]
        if not view.channels:
            yield from view.need("channels", "The agreement", "any channel, let alone two independent ones")
        elif not any(_independent(a, b) for a, b in combinations(channels, 2)):
            media = sorted({medium(c) for c in channels}) or ["none"]
            message = (
                f"Level {level.level}: its channels share one medium or carrier ({listed(media)}) and fail together."
            )
            yield view.odd(f"{level.path}.channels", message)


@check(
    "WRN-04",
    "acknowledgement rule",
    severity=Severity.ERROR,
    keys=(
        "ladder", "ladder[].ack_within", "ladder[].repeat", "ladder[].repeat.times", "ladder[].repeat.every",
        "ladder[].on_no_ack", "end_of_ladder", "end_of_ladder.who",
    ),
    fix="""
ladder:
  - {level: 1, ack_within: PT3M, repeat: {times: 2, every: PT3M}, on_ack: watch, on_no_ack: next}
end_of_ladder: {who: duty officer, decides: human, software: never}
""",
)  # fmt: skip
def acknowledgement(view: View) -> Iterator[Gap]:
    """Find levels without the time to answer, the repeats, or what silence leads to."""
    yield from view.need("ladder", "The agreement", "a rule for acknowledgement")
    for level in view.levels:
        who = f"Level {level.level}"
        yield from view.need_of(level, "ack_within", who, "the time to acknowledge")
        yield from view.need_of(level, "repeat", who, "how often it is repeated")
        repeat = given(level.repeat)
        if repeat is not None:
            yield from view.need_of(repeat, "times", who, "how many times it is repeated")
            if given(repeat.times) != 0:
                yield from view.need_of(repeat, "every", who, "the time between repeats")
        yield from view.need_of(level, "on_no_ack", who, "what follows when nobody acknowledges")
    ends = [v for v in view.levels if given(v.on_no_ack) not in (None, "next")]
    last = view.levels[-1] if view.levels else None
    if last is not None and given(last.on_no_ack) == "next":
        ends.append(last)
    if ends:
        to = given(ends[-1].on_no_ack)
        yield from view.need("end_of_ladder.who", "The end of the ladder", f"who is called ({to})")


@check(
    "WRN-05",
    "languages and fixed texts",
    severity=Severity.WARNING,
    keys=("languages", "languages.warning_texts", "texts", "ladder[].text"),
    fix="""
languages: {authentic: [en], warning_texts: [en, ar]}
texts:
  T1: {en: "You are near an agreed zone.", ar: "أنتم قرب منطقة متفق عليها."}
""",
)
def texts(view: View) -> Iterator[Gap]:
    """Find levels without fixed words, and texts that lack a language that was promised."""
    yield from view.need("languages.warning_texts", "The agreement", "the languages of the warnings")
    yield from view.need("texts", "The agreement", "the fixed words of the warnings")
    known = given(view.agreement.texts) or {}
    languages = given(view.agreement.languages)
    default = first_language(given(languages.authentic) if languages else None)
    wanted = (given(languages.warning_texts) if languages else None) or ()
    for level in view.levels:
        name = given(level.text)
        if name is None:
            yield from view.need_of(level, "text", f"Level {level.level}", "its fixed words")
        elif name not in known and view.agreement.state("texts") is State.SET:
            state = view.agreement.state(f"texts.{name}")
            message = f"Level {level.level}: text {name} is not among the texts."
            yield Gap(State.INCONSISTENT if state is State.SILENT else state, f"{level.path}.text", message)
    lacking: dict[str, list[str]] = {}
    for name, told in sorted(known.items()):
        has = {default} if isinstance(told, str) else set(told)
        for language in wanted:
            if language not in has:
                lacking.setdefault(language, []).append(name)
    if lacking:
        short = {name for names in lacking.values() for name in names}
        message = (
            f"Texts: warnings are promised in {listed(sorted(lacking))} too, and {len(short)} of {len(known)} texts"
            " lack one of these languages."
        )
        yield view.odd("texts", message)


@check(
    "WRN-06",
    "time budget",
    severity=Severity.ERROR,
    keys=(
        "ladder",
        "ladder[].ack_within",
        "ladder[].repeat",
        "time_budget",
        "time_budget.max_speed",
        "time_budget.outer_to_guard",
    ),
    fix="""
time_budget: {max_speed: 14 kn, outer_to_guard: 7408 m, available: PT17M, level1_total: PT9M}
""",
)
def budget(view: View) -> Iterator[Gap]:
    """Find a ladder whose words take longer than the way to the zone at top speed, or that cannot be reckoned."""
    yield from time_budget(view)


@check(
    "WRN-07",
    "stand-down and false alarm",
    severity=Severity.WARNING,
    keys=("stand_down", "stand_down.when", "stand_down.tell", "stand_down.false_alarm"),
    fix="""
stand_down:
  when: {event: exit, zone: outer}
  tell: [vehicle, north]
  text: clear
  false_alarm: {record: true, apology_text: sorry}
""",
)
def stand_down(view: View) -> Iterator[Gap]:
    """Find a ladder that nobody is told is over, or was an error."""
    for key, what in (
        ("when", "when the matter is over"),
        ("tell", "who is told that it is over"),
        ("false_alarm", "what is said when a warning was an error"),
    ):
        yield from view.need(f"stand_down.{key}", "The stand-down", what)
    told = given(view.agreement.stand_down)
    if told is None:
        return
    when, alarm = given(told.when), given(told.false_alarm)
    zone = given(when.zone) if when else None
    if zone is not None and not view.knows_zone(zone):
        yield view.odd(f"{told.path}.when.zone", f"Stand-down: zone {zone} is not there.")
    known = given(view.agreement.texts) or {}
    for key, name in (
        ("text", given(told.text)),
        ("false_alarm.apology_text", given(alarm.apology_text) if alarm else None),
    ):
        if name is not None and name not in known and view.agreement.state("texts") is State.SET:
            yield view.odd(f"{told.path}.{key}", f"Stand-down: text {name} is not among the texts.")
    for name in given(told.tell) or ():
        if not view.knows_party(name) and name not in MOVER_WORDS:
            yield view.odd(f"{told.path}.tell", f"Stand-down: it tells {name}, which is no party.")


@check(
    "WRN-08",
    "software boundary",
    severity=Severity.ERROR,
    keys=("end_of_ladder.software", "beyond_ladder.software"),
    fix="""
end_of_ladder: {who: duty officer, decides: human, software: never}
""",
)
def boundary(view: View) -> Iterator[Gap]:
    """Find levels, channels and texts that order, aim or authorise force, and ends where software acts."""
    for section in ("end_of_ladder", "beyond_ladder"):
        record = given(getattr(view.agreement, section))
        if record is None:
            continue
        yield from view.need(f"{section}.software", f"The section {section}", "that software does nothing there")
        software = given(record.software)
        if software is not None and software != NEVER:
            message = f"Software is given something to do beyond words ({software!r}); it does nothing there, ever."
            yield view.odd(f"{section}.software", message)
    for path, words in _words(view):
        found = boundary_words(words)
        if found:
            message = f"Words of force ({listed(found)}) stand where only words of warning may."
            yield view.odd(path, message)


@check(
    "WRN-09",
    "drills",
    severity=Severity.WARNING,
    keys=("channels", "channels[].tested"),
    fix="""
channels:
  - {id: line, kind: phone, tested: PT24H, last_test: "2031-04-30"}
""",
)
def drills(view: View) -> Iterator[Gap]:
    """Find channels without an interval at which they are tested."""
    yield from view.need("channels", "The agreement", "any channel that could be tested")
    for channel in view.channels:
        yield from view.need_of(channel, "tested", f"Channel {channel.id}", "how often it is tested")


_MOVER = frozenset({"mover"})


def channel_ends(channel: Channel) -> frozenset[str]:
    """Return who is at the end of a channel: parties, and `mover` for the agreement's words for the one who moves."""
    return _ends((*(given(channel.to) or ()), *(given(channel.between) or ())))


def medium(channel: Channel) -> str:
    """Return what carries a channel, by its kind."""
    kind = given(channel.kind) or channel.id
    return MEDIA.get(kind, kind)


def _ends(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset("mover" if name in MOVER_WORDS else name for name in names)


def _independent(a: Channel, b: Channel) -> bool:
    one, other = given(a.carrier), given(b.carrier)
    return medium(a) != medium(b) and (one is None or one != other)


def _words(view: View) -> Iterator[tuple[str, str]]:
    """Yield every text that is said or shown, with its path; what is recorded as a claim is not among them."""
    for level in view.levels:
        yield f"{level.path}.name", given(level.name) or ""
        for key in ("on_ack", "on_no_ack"):
            yield f"{level.path}.{key}", given(getattr(level, key)) or ""
    for channel in view.channels:
        yield f"{channel.path}.kind", f"{channel.id} {given(channel.kind) or ''}".replace("_", " ")
    for name, told in sorted((given(view.agreement.texts) or {}).items()):
        for language, words in [("", told)] if isinstance(told, str) else sorted(told.items()):
            yield f"texts.{name}.{language}".rstrip("."), words
    end = given(view.agreement.end_of_ladder)
    if end is not None:
        yield "end_of_ladder.who", given(end.who) or ""
        yield "end_of_ladder.decides", given(end.decides) or ""
