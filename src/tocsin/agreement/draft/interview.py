"""Interview: the questions in order, each answered, refused with its reason, or declared not set; then the draft.

An answer is YAML and is read by the format's own reader, so that a draft holds nothing that would not load. Every
question that is left open is written `not_set` with the codes of the checks that it leaves open: a blank that both
sides can see. Nothing is asked or written here of the answers' worth; that is for `tocsin lint`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from tocsin.agreement.draft.questions import QUESTIONS, Question, Told
from tocsin.agreement.findings.why import WHY
from tocsin.agreement.load import parse
from tocsin.agreement.model import FORMAT
from tocsin.agreement.rules import CHECKS, GROUPS
from tocsin.agreement.source.document import compose
from tocsin.agreement.source.flow import flow
from tocsin.agreement.terms.state import NOT_APPLICABLE, NOT_SET
from tocsin.errors import AgreementError, AgreementErrors, Place

NOT_SET_WORDS = frozenset({"", "not set", "not_set", "notset", "-"})
NOT_APPLICABLE_WORDS = frozenset({"n/a", "not applicable", "not_applicable"})
"""What a person may type for the two declared blanks; an empty answer is not set."""

FIXED = {"end_of_ladder": {"decides": "human", "software": "never"}}
"""What is no question: at the end of a ladder a person decides, and software does nothing (WRN-08)."""


class Asked(Struct, frozen=True, kw_only=True):
    """A question as it is put, about one member of a list if it has lists in its path.

    Attributes
    ----------
    question : Question
    path : str
        Such as `zones[ring].kind`.
    ask : str
    why : tuple of str
        Each check that it answers, and why that matters.
    """

    question: Question
    path: str
    ask: str
    why: tuple[str, ...]


class Blank(Struct, frozen=True):
    """A value that was left open."""

    word: str
    codes: tuple[str, ...]


class Section(dict[str, Any]):
    """A mapping that the questions made, not an answer: it is written in lines of its own."""


Answer = Callable[[Asked], str]
"""Asks somebody: the answer as it was typed. It is called again after a refusal, which `Interview.refused` tells."""


class Interview:
    """One drafting: what has been answered so far.

    Parameters
    ----------
    agreement_id : str
        The id of the agreement, which cannot be left open.

    Raises
    ------
    AgreementErrors
        If the id is none.
    """

    def __init__(self, agreement_id: str) -> None:
        self.written: dict[str, Any] = {"format": FORMAT, "id": agreement_id, "version": 1}
        self.not_set: list[Asked] = []
        parse(self.text())

    def questions(self) -> Iterator[Asked]:
        """Yield the questions that arise, in order; each is to be answered before the next is drawn."""
        for question in QUESTIONS:
            holder, dot, _ = question.path.rpartition("[].")
            holders = self._members(holder) if dot else [({}, "")]
            for member, label in holders:
                if question.when(_told(self.written), _told(member)):
                    path = question.path.replace("[]", f"[{label}]")
                    why = tuple(f"{code} {CHECKS[code].title}. {WHY[code]}" for code in question.codes)
                    yield Asked(question=question, path=path, ask=question.ask.format(who=label), why=why)

    def answer(self, asked: Asked, text: str) -> None:
        """Take an answer.

        Parameters
        ----------
        asked : Asked
            The newest of `questions`.
        text : str
            YAML, or one of the words for the declared blanks.

        Raises
        ------
        AgreementError
            If the format refuses it; nothing was taken then.
        """
        word = text.strip().casefold()
        if word in NOT_SET_WORDS:
            self.not_set.append(asked)
            self._put(asked, Blank(NOT_SET, asked.question.codes))
            return
        if word in NOT_APPLICABLE_WORDS:
            value: Any = NOT_APPLICABLE
        else:
            value = compose(text.encode(), file="the answer").root.plain()
        if asked.question.is_list and value != NOT_APPLICABLE:
            value = _listed(value, asked)
        if value == NOT_SET:
            self.answer(asked, NOT_SET)
            return
        alone = Interview.__new__(Interview)
        alone.written = {"format": FORMAT, "id": "alone"}
        alone._put(asked, value)
        try:
            unknown = parse(alone.text()).unknown
        except AgreementErrors as errors:
            first = errors.errors[0]
            place = Place("the answer", path=asked.path)
            raise AgreementError(first.found, expected=first.expected, place=place) from errors
        if unknown:
            hint = f"the key {unknown[0].nearest}" if unknown[0].nearest else f"such as {asked.question.example}"
            place = Place("the answer", path=unknown[0].path)
            raise AgreementError(f"key {unknown[0].key!r}", expected=hint, place=place)
        self._put(asked, value)

    def text(self) -> str:
        """Return the draft so far as YAML, open values with the checks that they leave open."""
        lines: list[str] = []
        for key, value in self.written.items():
            heading = _HEADINGS.get(key)
            lines += ["", f"# {heading}"] if heading else []
            lines += _lines(key, value, "")
        return "\n".join(lines) + "\n"

    def _members(self, holder: str) -> list[tuple[dict[str, Any], str]]:
        at: Any = self.written
        for step in holder.split("."):
            at = at.get(step) if isinstance(at, dict) else None
        found = at if isinstance(at, list) else []
        return [(m, str(m["id"]) if "id" in m else f"level {m['level']}") for m in found]

    def _put(self, asked: Asked, value: Any) -> None:
        """Write a value under its key, making what holds it."""
        at: dict[str, Any] = self.written
        *steps, key = _steps(asked.path)
        for step, label in steps:
            if label is None:
                at = at.setdefault(step, Section(FIXED.get(step, {})))
                continue
            members = at.setdefault(step, [])
            found = next((m for m in members if label in (m.get("id"), f"level {m.get('level')}")), None)
            if found is None:
                number = label.removeprefix("level ")
                found = Section({"level": int(number)} if number != label else {"id": label})
                members.append(found)
            at = found
        at[key[0]] = value


def interview(agreement_id: str, ask: Answer, *, refused: Callable[[Asked, AgreementError], None]) -> Interview:
    """Ask every question that arises until each has an answer that can be used.

    Parameters
    ----------
    agreement_id : str
    ask : callable
        Asks somebody, or looks the answer up.
    refused : callable
        Told why an answer cannot be used; it may raise, to end the interview.

    Returns
    -------
    Interview
        All answered; its `text()` is the draft.
    """
    held = Interview(agreement_id)
    for asked in held.questions():
        while True:
            try:
                held.answer(asked, ask(asked))
                break
            except AgreementError as error:
                refused(asked, error)
    return held


def _listed(value: Any, asked: Asked) -> list[Section]:
    """Return the members of a list of ids, or of numbers of levels."""
    key, kind = ("level", int) if asked.question.path == "ladder" else ("id", str)
    told = value if isinstance(value, list) else [part.strip() for part in str(value).split(",")]
    told = [int(t) if kind is int and isinstance(t, str) and t.isdigit() else t for t in told]
    if not told or not all(type(t) is kind for t in told) or len(set(told)) != len(told):
        what = "different ids" if kind is str else "different numbers"
        place = Place("the answer", path=asked.path)
        raise AgreementError(flow(value), expected=f"{what}, such as {asked.question.example}", place=place)
    return [Section({key: t}) for t in told]


def _told(value: Any) -> Told:
    """Return what was answered, blanks left out."""
    if isinstance(value, dict):
        return {key: _told(member) for key, member in value.items() if not _is_blank(member)}
    return [_told(member) for member in value] if isinstance(value, list) else value  # type: ignore[return-value]


def _is_blank(value: Any) -> bool:
    return isinstance(value, Blank) or value == NOT_APPLICABLE


_STEP = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?")


def _steps(path: str) -> list[tuple[str, str | None]]:
    return [(match[1], match[2]) for match in _STEP.finditer(path)]


_TOPS = {
    "AMD": ("amendment",), "COM": ("channels", "orders"), "CON": ("conduct",), "DIS": ("disputes",),
    "EXT": ("exit",), "GEO": ("zones",), "INC": ("incidents",), "NOT": ("notices",), "PAR": ("parties",),
    "REC": ("record",), "TIM": ("effective",), "VER": ("verification",), "WRN": ("ladder",),
}  # fmt: skip
_HEADINGS = {key: f"{group}: {GROUPS[group]}" for group, keys in _TOPS.items() for key in keys}


def _lines(key: str, value: Any, indent: str) -> list[str]:
    """Return one key of the draft: mappings of questions in lines of their own, answers in one line."""
    if isinstance(value, Section):
        return [f"{indent}{key}:", *(line for k, v in value.items() for line in _lines(k, v, indent + "  "))]
    if isinstance(value, list) and value and all(isinstance(m, Section) for m in value):
        lines = [f"{indent}{key}:"]
        for member in value:
            inner = [line for k, v in member.items() for line in _lines(k, v, indent + "    ")]
            lines += [f"{indent}  - {inner[0].strip()}", *inner[1:]]
        return lines
    codes = list(dict.fromkeys(_open(value)))
    return [f"{indent}{key}: {flow(_plain(value))}" + (f"  # {', '.join(codes)}" if codes else "")]


def _open(value: Any) -> Iterator[str]:
    """Yield the checks that a value leaves open."""
    if isinstance(value, Blank):
        yield from value.codes
    for member in value.values() if isinstance(value, dict) else ():
        yield from _open(member)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    return value.word if isinstance(value, Blank) else value
