"""The words of a message: the agreement's text in its languages, then the facts: what, who, where, when, how to answer.

Follows WRN-05 and WRN-08 of the agreement's check list: fixed texts per language, and no word that orders, aims or
offers force. Names come from feeds and files, so every one is neutralised here: no control character, line break or
change of writing direction survives (UAX #9; CVE-2021-42574 shows what they can hide). The facts are told in each
language of the channel that `templates/` has; names and numbers are never translated.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec import Struct

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import MOVER, Playbook
from tocsin.units import METRES_PER_SECOND, format_duration, format_instant, format_length
from tocsin.warn.case import Case
from tocsin.warn.content import Earlier, Facts, Version
from tocsin.warn.plan import can_acknowledge
from tocsin.warn.states import Purpose
from tocsin.warn.steps import CaseEvent
from tocsin.warn.templates import FALLBACK, PHRASES, phrases_for
from tocsin.warn.templates.phrases import Phrases

FIELD_LIMIT = 200
"""Characters of one name or answer that are kept; origin: a feed's longest useful name is far below; more is cut."""

TEXT_LIMIT = 4_000
"""Characters of an agreement's text that are kept; origin: about four minutes of speech."""

REMEMBERED = 4_096
"""Texts whose neutral form and boundary words are remembered: the same few stand in every message of a case."""

QUOTE_LENGTH = 8
"""Characters of a case id quoted for the answer; enough to be unique among open cases, short enough to be spoken."""

WHAT = PHRASES[FALLBACK].what
"""Each kind of event in plain English, for the steps of a case."""

Boundary = Callable[[str], Sequence[str]]
"""The software boundary: the words of a text that order, aim or offer force; empty if there are none."""


class Wording(Struct, frozen=True, kw_only=True):
    """What is needed to put a message into words.

    Attributes
    ----------
    playbook : Playbook
    boundary : callable
        Finds the words that may not be sent; a text that holds any is replaced by the facts alone.
    preface : str or None
        A first line for every message, such as that this is a replay.
    """

    playbook: Playbook
    boundary: Boundary = boundary_words
    preface: str | None = None


class Words(Struct, frozen=True, kw_only=True):
    """A message put into words.

    Attributes
    ----------
    subject, body : str
    text_id : str or None
    languages : tuple of str
    withheld : tuple of str
        Words of the agreement's text that crossed the software boundary; the text was then left out.
    facts : Facts or None
        The same for machines.
    """

    subject: str
    body: str
    text_id: str | None
    languages: tuple[str, ...]
    withheld: tuple[str, ...] = ()
    facts: Facts | None = None


@lru_cache(maxsize=REMEMBERED)
def neutral(text: str, *, limit: int = FIELD_LIMIT) -> str:
    r"""Return a text on one line, without anything that controls where or how it is shown.

    Parameters
    ----------
    text : str
    limit : int
        Characters kept; a longer text ends in "…".

    Returns
    -------
    str
        Control, format, private and unassigned characters (Unicode categories C*) and line separators are gone or are
        one space. The zero-width joiner and non-joiner stay: Persian, Urdu and Hindi are written with them.

    Examples
    --------
    >>> neutral("MV Hope\r\nBcc: all\u202etxt.exe")
    'MV Hope Bcc: alltxt.exe'
    """
    kept = []
    for char in text[: 4 * limit]:
        category = unicodedata.category(char)
        if char in "\u200c\u200d" or not (category.startswith("C") or category in {"Zl", "Zp"}):
            kept.append(char)
        elif category == "Cc" or category.startswith("Z"):
            kept.append(" ")
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def compose(
    wording: Wording,
    case: Case,
    *,
    purpose: Purpose,
    level: int,
    channel: str,
    recipient: str,
    event: CaseEvent | None,
    text_id: str | None,
    relay_for: str | None = None,
) -> Words:
    """Return a message's words.

    Parameters
    ----------
    wording : Wording
    case : Case
        Its newest event is told as "last seen" when it is not the one told of.
    purpose : Purpose
    level : int
    channel, recipient : str
    event : CaseEvent or None
        What the message tells of.
    text_id : str or None
        The agreement's text; None where it sets none.
    relay_for : str or None
        To whom the recipient is asked to pass it on.
    """
    said = _agreed_words(wording, channel, text_id)
    withheld = tuple(word for _, line in said for word in _crossed(wording.boundary, line))
    spoken = wording.playbook.channels[channel].languages if channel in wording.playbook.channels else ()
    tongues = phrases_for(spoken, otherwise=wording.playbook.language)
    lines = [line for _, line in said]
    if withheld:
        said, lines = (), [phrases.withheld for phrases in tongues]
    if not lines:
        lines = [phrases.plain[purpose] for phrases in tongues]
    preface = [wording.preface] if wording.preface else []
    versions = tuple(
        Version(
            language=phrases.language,
            subject=_subject(phrases, case, purpose, event),
            facts=(*_facts(phrases, case, event, level), *_pass_on(phrases, relay_for)),
            answer=_how_to_answer(phrases, wording.playbook, case, purpose, channel, recipient),
        )
        for phrases in tongues
    )
    told = ["\n".join([*version.facts, version.answer]) for version in versions]
    return Words(
        subject=versions[0].subject,
        body="\n\n".join(["\n".join([*preface, *lines]), *told]),
        text_id=text_id,
        languages=tuple(language for language, _ in said),
        withheld=withheld,
        facts=_apart(wording, case, event, channel, recipient, said=said, versions=versions),
    )


def _subject(phrases: Phrases, case: Case, purpose: Purpose, event: CaseEvent | None) -> str:
    what = phrases.what[event.kind].format(zone=neutral(event.zone_id)) if event else str(purpose)
    return neutral(f"{phrases.heads[purpose]}: {neutral(case.track_id)}: {what}")


@lru_cache(maxsize=REMEMBERED)
def _crossed(boundary: Boundary, line: str) -> tuple[str, ...]:
    return tuple(boundary(line))


def _agreed_words(wording: Wording, channel: str, text_id: str | None) -> tuple[tuple[str, str], ...]:
    texts = wording.playbook.texts.get(text_id, {}) if text_id else {}
    spoken = wording.playbook.channels[channel].languages if channel in wording.playbook.channels else ()
    chosen = [language for language in spoken if language in texts]
    if not chosen:
        chosen = sorted(texts, key=lambda language: (language != wording.playbook.language, language))
    return tuple((language, neutral(texts[language], limit=TEXT_LIMIT)) for language in chosen)


def _apart(
    wording: Wording,
    case: Case,
    event: CaseEvent | None,
    channel: str,
    recipient: str,
    *,
    said: tuple[tuple[str, str], ...],
    versions: tuple[Version, ...],
) -> Facts:
    known = event is not None and event.accuracy_m == event.accuracy_m
    return Facts(
        agreement_id=neutral(case.agreement_id),
        agreement_version=case.agreement_version,
        track_id=neutral(case.track_id),
        category=neutral(case.category) if case.category else None,
        kind=event.kind if event else None,
        zone_id=neutral(event.zone_id) if event else None,
        at_us=event.at_us if event else None,
        lat_deg=event.lat_deg if event else None,
        lon_deg=event.lon_deg if event else None,
        accuracy_m=event.accuracy_m if event and known else None,
        said=said,
        preface=wording.preface,
        versions=versions,
        earlier=tuple(
            Earlier(message_id=old.message_id, queued_us=old.queued_us)
            for old in case.messages
            if (old.channel, old.recipient) == (channel, recipient)
        ),
    )


def _pass_on(phrases: Phrases, relay_for: str | None) -> tuple[str, ...]:
    if relay_for is None:
        return ()
    return (phrases.pass_on.format(whom=phrases.mover if relay_for == MOVER else neutral(relay_for)),)


def _facts(phrases: Phrases, case: Case, event: CaseEvent | None, level: int) -> list[str]:
    who = ", ".join(neutral(text) for text in (case.track_id, case.category, case.party) if text)
    label = phrases.labels
    lines = [f"{label['who']}: {who}"]
    if event is not None:
        lines.insert(0, f"{label['what']}: {phrases.what[event.kind].format(zone=neutral(event.zone_id))}")
        lines += [f"{label['when']}: {_clock(event.at_us)}", f"{label['where']}: {_place(phrases, event)}"]
        measured = dict(event.measured)
        lines += [f"{label[name]}: {show(measured[name])}" for name, show in _SHOWN if name in measured]
        newest = max(case.events, key=lambda seen: (seen.known_us, seen.at_us)) if case.events else event
        if newest.event_id != event.event_id:
            told = phrases.what[newest.kind].format(zone=neutral(newest.zone_id))
            lines.append(f"{label['last_seen']}: {told}, {_clock(newest.at_us)}, {_place(phrases, newest)}")
    agreement = phrases.agreement.format(id=neutral(case.agreement_id), version=case.agreement_version)
    return [
        *lines,
        f"{label['agreement']}: {agreement}",
        f"{label['case']}: {phrases.case.format(code=case.case_id[:QUOTE_LENGTH], level=level)}",
    ]


def _speed(speed_mps: float) -> str:
    return f"{speed_mps * 3.6:.0f} km/h ({speed_mps / METRES_PER_SECOND['kn']:.0f} kn)"


_SHOWN: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("time_to_entry_s", format_duration),
    ("distance_m", format_length),
    ("speed_mps", _speed),
    ("dwell_s", format_duration),
    ("gap_s", format_duration),
)
"""Measures that are told, by the name under which every language has a label."""


def _how_to_answer(
    phrases: Phrases, playbook: Playbook, case: Case, purpose: Purpose, channel: str, recipient: str
) -> str:
    code = case.case_id[:QUOTE_LENGTH]
    if purpose in {Purpose.STAND_DOWN, Purpose.CORRECTION}:
        return phrases.no_answer_needed
    if can_acknowledge(playbook, channel):
        return phrases.answer_on.format(channel=neutral(channel), code=code)
    others = [
        name
        for name, way in playbook.channels.items()
        if recipient in way.to and way.can_acknowledge and name != channel
    ]
    if not others:
        return phrases.no_answer
    whom = phrases.you if recipient == MOVER else neutral(recipient)
    names = phrases.either.join(neutral(name) for name in others)
    return phrases.answer_on_other.format(channels=names, whom=whom, code=code)


def _clock(at_us: int) -> str:
    return format_instant(at_us)[:19].replace("T", " ") + " UTC"


def _place(phrases: Phrases, event: CaseEvent) -> str:
    lat, lon = event.lat_deg, event.lon_deg
    north, south, east, west = phrases.compass
    place = f"{abs(lat):.4f}° {north if lat >= 0 else south}, {abs(lon):.4f}° {east if lon >= 0 else west}"
    if event.accuracy_m != event.accuracy_m:
        return place
    return f"{place}, {phrases.within} {format_length(event.accuracy_m)}"
