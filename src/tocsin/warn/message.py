"""The words of a message: the agreement's text in its languages, then the facts: what, who, where, when, how to answer.

Follows WRN-05 and WRN-08 of the agreement's check list: fixed texts per language, and no word that orders, aims or
offers force. Names come from feeds and files, so every one is neutralised here: no control character, line break or
change of writing direction survives (UAX #9; CVE-2021-42574 shows what they can hide). It does not translate the facts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import MOVER, Playbook
from tocsin.units import METRES_PER_SECOND, format_duration, format_instant, format_length
from tocsin.warn.case import Case, CaseEvent
from tocsin.warn.plan import can_acknowledge
from tocsin.warn.states import Purpose
from tocsin.watch.event import EventKind

FIELD_LIMIT = 200
"""Characters of one name or answer that are kept; origin: a feed's longest useful name is far below; more is cut."""

TEXT_LIMIT = 4_000
"""Characters of an agreement's text that are kept; origin: about four minutes of speech."""

REMEMBERED = 4_096
"""Texts whose neutral form and boundary words are remembered: the same few stand in every message of a case."""

QUOTE_LENGTH = 8
"""Characters of a case id quoted for the answer; enough to be unique among open cases, short enough to be spoken."""

WHAT: dict[EventKind, str] = {
    EventKind.FIRST_SEEN_INSIDE: "first seen inside zone {zone}",
    EventKind.ENTRY: "went into zone {zone}",
    EventKind.EXIT: "left zone {zone}",
    EventKind.CROSSING: "crossed zone {zone} between two reports",
    EventKind.APPROACH: "going on as it goes, it enters zone {zone}",
    EventKind.APPROACH_ENDED: "no longer on its way into zone {zone}",
    EventKind.LOITER: "slow inside zone {zone}",
    EventKind.STOPPED: "stationary inside zone {zone}",
    EventKind.PROBING: "went up to zone {zone} and back repeatedly",
    EventKind.GAP: "no report, last at zone {zone}",
    EventKind.GAP_ENDED: "reports again, at zone {zone}",
    EventKind.PROXIMITY: "close to a track of another party, at zone {zone}",
    EventKind.BUILDUP: "one of several tracks gathered at zone {zone}",
    EventKind.ZONE_BEGAN: "zone {zone} came into force around it",
    EventKind.ZONE_ENDED: "zone {zone} ended around it",
}
"""Each kind of event in plain words."""

Boundary = Callable[[str], Sequence[str]]
"""The software boundary: the words of a text that order, aim or offer force; empty if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message put into words.

    Attributes
    ----------
    subject, body : str
    text_id : str or None
    languages : tuple of str
    withheld : tuple of str
        Words of the agreement's text that crossed the software boundary; the text was then left out.
    """

    subject: str
    body: str
    text_id: str | None
    languages: tuple[str, ...]
    withheld: tuple[str, ...] = ()


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
    """
    languages, lines = _agreed_words(wording, channel, text_id)
    withheld = tuple(word for line in lines for word in _crossed(wording.boundary, line))
    if withheld:
        languages, lines = (), ["(The agreed words are withheld: they went beyond warning. The facts:)"]
    if not lines:
        lines = [_PLAIN[purpose]]
    facts = [*_facts(case, event), f"Agreement: {neutral(case.agreement_id)}, version {case.agreement_version}"]
    facts.append(f"Case: {case.case_id[:QUOTE_LENGTH]}, level {level}")
    preface = [wording.preface] if wording.preface else []
    body = "\n".join(
        [*preface, *lines, "", *facts, _how_to_answer(wording.playbook, case, purpose, channel, recipient)]
    )
    what = WHAT[event.kind].format(zone=neutral(event.zone_id)) if event else str(purpose)
    subject = neutral(f"{_HEADS[purpose]}: {neutral(case.track_id)}: {what}")
    return Words(subject=subject, body=body, text_id=text_id, languages=languages, withheld=withheld)


_PLAIN = {
    Purpose.WARNING: "This is a warning under the agreement named below.",
    Purpose.CALL: "You are called because the ladder is at its end. What happens now is for people to decide.",
    Purpose.STAND_DOWN: "The matter below is over.",
    Purpose.CORRECTION: "An earlier warning was an error: later reports show that this did not happen as told.",
}
_HEADS = {
    Purpose.WARNING: "Warning",
    Purpose.CALL: "Call",
    Purpose.STAND_DOWN: "Stand-down",
    Purpose.CORRECTION: "Correction",
}


@lru_cache(maxsize=REMEMBERED)
def _crossed(boundary: Boundary, line: str) -> tuple[str, ...]:
    return tuple(boundary(line))


def _agreed_words(wording: Wording, channel: str, text_id: str | None) -> tuple[tuple[str, ...], list[str]]:
    texts = wording.playbook.texts.get(text_id, {}) if text_id else {}
    spoken = wording.playbook.channels[channel].languages if channel in wording.playbook.channels else ()
    chosen = [language for language in spoken if language in texts]
    if not chosen:
        chosen = sorted(texts, key=lambda language: (language != wording.playbook.language, language))
    return tuple(chosen), [neutral(texts[language], limit=TEXT_LIMIT) for language in chosen]


def _facts(case: Case, event: CaseEvent | None) -> list[str]:
    who = ", ".join(neutral(text) for text in (case.track_id, case.category, case.party) if text)
    lines = [f"Who: {who}"]
    if event is None:
        return lines
    lines.insert(0, f"What: {WHAT[event.kind].format(zone=neutral(event.zone_id))}")
    lines += [f"When: {_clock(event.at_us)}", f"Where: {_place(event)}"]
    measured = dict(event.measured)
    for name, label, show in _SHOWN:
        if name in measured:
            lines.append(f"{label}: {show(measured[name])}")
    newest = max(case.events, key=lambda seen: (seen.known_us, seen.at_us)) if case.events else event
    if newest.event_id != event.event_id:
        told = WHAT[newest.kind].format(zone=neutral(newest.zone_id))
        lines.append(f"Last seen: {told}, {_clock(newest.at_us)}, {_place(newest)}")
    return lines


def _speed(speed_mps: float) -> str:
    return f"{speed_mps * 3.6:.0f} km/h ({speed_mps / METRES_PER_SECOND['kn']:.0f} kn)"


_SHOWN: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("time_to_entry_s", "Enters in", format_duration),
    ("distance_m", "Distance to the edge", format_length),
    ("speed_mps", "Speed", _speed),
    ("dwell_s", "For", format_duration),
    ("gap_s", "Silent for", format_duration),
)
"""Measures that are told, with their label."""


def _how_to_answer(playbook: Playbook, case: Case, purpose: Purpose, channel: str, recipient: str) -> str:
    quote = case.case_id[:QUOTE_LENGTH]
    if purpose in {Purpose.STAND_DOWN, Purpose.CORRECTION}:
        return "No answer is needed."
    if can_acknowledge(playbook, channel):
        return f"To answer: say on {neutral(channel)} that you received this, quoting {quote}. It means nothing more."
    others = [
        name
        for name, way in playbook.channels.items()
        if recipient in way.to and way.can_acknowledge and name != channel
    ]
    if not others:
        return "No answer can be given to this."
    whom = "you" if recipient == MOVER else neutral(recipient)
    names = " or ".join(neutral(name) for name in others)
    return f"No answer can be given here. {names} reaches {whom}: say there that this was received, quoting {quote}."


def _clock(at_us: int) -> str:
    return format_instant(at_us)[:19].replace("T", " ") + " UTC"


def _place(event: CaseEvent) -> str:
    lat, lon = event.lat_deg, event.lon_deg
    place = f"{abs(lat):.4f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.4f}° {'E' if lon >= 0 else 'W'}"
    return place if event.accuracy_m != event.accuracy_m else f"{place}, within {format_length(event.accuracy_m)}"
