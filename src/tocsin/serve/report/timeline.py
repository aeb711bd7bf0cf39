"""Timeline: one case climbing its ladder, as lanes, bands and marks to draw.

The lowest lane is what was seen, above it the levels of the agreement, and on top the person called: the thick line
goes up as the case does. Every attempt has its mark in the row of its channel and recipient, every awaited answer its
band. It draws what the case holds and adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup
from msgspec import Struct, field

from tocsin.agreement.playbook import MOVER, Playbook
from tocsin.serve.report.axis import Axis, AxisTick, Break
from tocsin.serve.report.labels import text_width
from tocsin.serve.report.symbols import EVENT_SYMBOLS, OUTCOME_SYMBOLS, OUTCOME_WORDS, Symbol
from tocsin.serve.report.text import clock, visible, words
from tocsin.units import format_duration
from tocsin.warn.case import Case
from tocsin.warn.states import REACH, AnswerKind, CaseInput, CaseState, Disposition, MessageState, Purpose
from tocsin.warn.steps import Rung, Step
from tocsin.warn.telling import Attempt, Message

WIDTH = 960.0
LEFT = 212.0
RIGHT = 944.0
ROW = 19.0
PAD = 5.0
HEAD = 9.0
"""Room above the rows of a level, for the word on its band."""
APART = 12.0
"""Least distance between two marks of one row."""
MAX_ROWS = 14
"""Rows of one lane; the rest share the last one."""
GUTTER_CHARS = 30

_ANSWER_MARKS = {
    AnswerKind.DELIVERED: MessageState.DELIVERED,
    AnswerKind.READ: MessageState.READ,
    AnswerKind.PASSED_ON: MessageState.PASSED_ON,
    AnswerKind.ACKNOWLEDGED: MessageState.ACKNOWLEDGED,
    AnswerKind.ANSWERED: MessageState.ANSWERED,
    AnswerKind.FAILED: MessageState.FAILED_FOR_GOOD,
}
_ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})
_SILENCE = frozenset({CaseInput.UNANSWERED_NEXT, CaseInput.UNANSWERED_PERSON, CaseInput.UNANSWERED_END})


class Mark(Struct, frozen=True):
    """A symbol at its place; `tone` is a class of colour."""

    x: float
    y: float
    symbol: Symbol
    title: str
    tone: str
    label: str = ""
    label_y: float = 0.0


class Lane(Struct):
    """A lane: its name, its rows and where it stands; `level` is -1 for what was seen and 0 for the all clear."""

    level: int
    name: str
    note: str
    rows: list[str]
    is_reached: bool
    top: float = 0.0
    height: float = 0.0
    kind: str = "level"
    marks: list[Mark] = field(default_factory=list)

    def row_y(self, row: int) -> float:
        """Return the middle of a row."""
        return round(self.top + self.head + PAD + (min(row, len(self.rows) - 1) + 0.5) * ROW, 1)

    @property
    def head(self) -> float:
        """Return the room above the rows."""
        return HEAD if self.kind == "level" and self.is_reached else 0.0

    @property
    def middle(self) -> float:
        """Return the middle of the lane."""
        return round(self.top + self.height / 2, 1)


class Band(Struct, frozen=True):
    """The time in which an answer is awaited, and how it ended."""

    left: float
    right: float
    top: float
    height: float
    is_silent: bool
    text: str
    title: str


class Timeline(Struct, frozen=True):
    """A case, to be drawn."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    bands: tuple[Band, ...]
    stairs: Markup
    breaks: tuple[Break, ...]
    ticks: tuple[AxisTick, ...]
    description: str


def draw_timeline(case: Case, playbook: Playbook | None) -> Timeline:
    """Return a case's timeline.

    Parameters
    ----------
    case : Case
    playbook : Playbook or None
        For the levels that were not reached and the names of channels.
    """
    axis = Axis(_instants(case), left=LEFT + 12, right=RIGHT - 46)
    lanes = _lanes(case, playbook)
    top = 8.0
    for lane in lanes:
        lane.top, lane.height = top, lane.head + 2 * PAD + ROW * max(1, len(lane.rows))
        top += lane.height + 4
    by_level = {lane.level: lane for lane in lanes}
    _put_events(case, by_level[-1], axis)
    _put_attempts(case, by_level, axis)
    _put_answers(case, by_level, axis)
    return Timeline(
        width=WIDTH,
        height=top + 34,
        lanes=tuple(lanes),
        bands=tuple(_bands(case, by_level, axis)),
        stairs=_stairs(case.steps, by_level, axis),
        breaks=axis.breaks,
        ticks=axis.ticks(),
        description=_describe(case),
    )


PERSON = 1_000
"""The lane of the person called stands above every level."""


def _instants(case: Case) -> Iterable[int]:
    yield case.opened_us
    for event in case.events:
        yield event.at_us
    for step in case.steps:
        yield step.at_us
    for attempt in case.attempts:
        yield attempt.begun_us
        if attempt.ended_us is not None:
            yield attempt.ended_us
    for answer in case.acknowledgements:
        yield answer.at_us
    last = max(step.at_us for step in case.steps) if case.steps else case.opened_us
    for rung in case.rungs:
        if rung.answer_due_us is not None and rung.answer_due_us <= last:
            yield rung.answer_due_us


def _lanes(case: Case, playbook: Playbook | None) -> list[Lane]:
    """Return the lanes from top to bottom, without their places."""
    lanes = []
    calls = [m for m in case.messages if m.purpose is Purpose.CALL]
    person = playbook.end_of_ladder if playbook else None
    if person or calls:
        rows = _rows(calls) or ["not called"]
        lanes.append(Lane(PERSON, "Person called", person or "", rows, bool(calls), kind="person"))
    set_levels = {level.level: level for level in playbook.levels} if playbook else {}
    reached = {rung.level for rung in case.rungs if rung.purpose is Purpose.WARNING}
    for number in sorted(set_levels.keys() | reached, reverse=True):
        ours = [m for m in case.messages if m.level == number and m.purpose is Purpose.WARNING]
        level = set_levels.get(number)
        note = ""
        if level is not None:
            wait = level.ack_within_s
            note = "no deadline set" if wait is None else f"answer within {format_duration(wait)}"
        rows = _rows(ours) or ["not reached" if number not in reached else "nobody could be reached"]
        lanes.append(Lane(number, f"Level {number}", note, rows, number in reached))
    ending = [m for m in case.messages if m.purpose in _ENDING]
    if ending:
        lanes.append(Lane(0, "All clear", "", _rows(ending), is_reached=True, kind="clear"))
    seen = Lane(-1, "Seen", "by the sensors", ["", ""], is_reached=True, kind="seen")
    lanes.append(seen)
    return lanes


def _rows(messages: Sequence[Message]) -> list[str]:
    names = list(dict.fromkeys(_row_name(m) for m in messages))
    if len(names) > MAX_ROWS:
        names = [*names[: MAX_ROWS - 1], f"{len(names) - MAX_ROWS + 1} further ways"]
    return names


def _row_name(message: Message) -> str:
    to = "mover" if message.recipient == MOVER else message.recipient
    if message.purpose in _ENDING:
        return to
    return to if message.channel == message.recipient else f"{message.channel} → {to}"


def short(text: str, limit: int = GUTTER_CHARS) -> str:
    """Return a text cut to a number of characters, saying so with an ellipsis."""
    text = visible(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _row_of(lane: Lane, name: str) -> int:
    return lane.rows.index(name) if name in lane.rows else len(lane.rows) - 1


def _lane_of(message: Message, lanes: dict[int, Lane]) -> Lane:
    if message.purpose is Purpose.CALL:
        return lanes[PERSON]
    return lanes[message.level if message.purpose is Purpose.WARNING else 0]


def _put_events(case: Case, lane: Lane, axis: Axis) -> None:
    """Put a symbol for each event, with its word where there is room above or below the line."""
    free = [LEFT, LEFT]
    for event in sorted(case.events, key=lambda e: (e.at_us, e.event_id)):
        x = axis.place(event.at_us)
        text = words(event.kind)
        half = text_width(text) * 0.44
        row = next((r for r in (0, 1) if free[r] < x - half), None)
        fits = row is not None and x - half > LEFT and x + half < RIGHT + 12
        if fits and row is not None:
            free[row] = x + half + 5
        shown = f"{text} at {event.zone_id}, {clock(event.at_us)} UTC{' (withdrawn later)' if event.withdrawn else ''}"
        lane.marks.append(
            Mark(
                x, lane.middle, EVENT_SYMBOLS[event.kind], visible(shown), "withdrawn" if event.withdrawn else "ink",
                text if fits else "", lane.top + 9 if row == 0 else lane.top + lane.height - 3,
            )
        )  # fmt: skip


def _put_attempts(case: Case, lanes: dict[int, Lane], axis: Axis) -> None:
    messages = {m.message_id: m for m in case.messages}
    last: dict[tuple[int, int], float] = {}
    for attempt in sorted(case.attempts, key=lambda a: (a.begun_us, a.message_id, a.number)):
        message = messages[attempt.message_id]
        lane = _lane_of(message, lanes)
        row = _row_of(lane, _row_name(message))
        x = max(axis.place(attempt.begun_us), last.get((lane.level, row), 0.0) + APART)
        last[lane.level, row] = x
        state = attempt.outcome.state if attempt.outcome else None
        title = _attempt_title(message, attempt)
        lane.marks.append(Mark(x, lane.row_y(row), OUTCOME_SYMBOLS[state], title, _tone(state)))


def _attempt_title(message: Message, attempt: Attempt) -> str:
    outcome = attempt.outcome
    said = f", said again ({message.saying})" if message.saying else ""
    tried = f", attempt {attempt.number}" if attempt.number > 1 else ""
    reason = f": {outcome.reason}" if outcome and outcome.reason else ""
    state = OUTCOME_WORDS[outcome.state if outcome else None]
    return visible(f"{clock(attempt.begun_us)} UTC {_row_name(message)}{said}{tried}: {state}{reason}")


def _tone(state: MessageState | None) -> str:
    if state in (MessageState.FAILED_FOR_NOW, MessageState.FAILED_FOR_GOOD):
        return "bad"
    if state is not None and REACH[state] >= REACH[MessageState.DELIVERED]:
        return "good"
    return "ink"


def _put_answers(case: Case, lanes: dict[int, Lane], axis: Axis) -> None:
    for answer in case.acknowledgements:
        name = "mover" if answer.party == MOVER else answer.party
        called = lanes.get(PERSON)
        lane = called if called and name in called.rows else lanes.get(answer.level or -1, lanes[-1])
        row = next((i for i, text in enumerate(lane.rows) if text == name or text.endswith(f"→ {name}")), 0)
        if answer.channel is not None and f"{answer.channel} → {name}" in lane.rows:
            row = lane.rows.index(f"{answer.channel} → {name}")
        x = axis.place(answer.at_us)
        beside = [m.x for m in lane.marks if m.y == lane.row_y(row)]
        while any(abs(x - other) < APART for other in beside):
            x += APART
        counted = answer.disposition in (Disposition.COUNTED, Disposition.RECEIPT)
        title = visible(
            f"{clock(answer.at_us)} UTC {answer.who} for {name}: {words(answer.kind)} ({words(answer.disposition)})"
        )
        lane.marks.append(
            Mark(x, lane.row_y(row), OUTCOME_SYMBOLS[_ANSWER_MARKS[answer.kind]], title, "good" if counted else "faint")
        )


def _bands(case: Case, lanes: dict[int, Lane], axis: Axis) -> Iterable[Band]:
    for n, rung in enumerate(case.rungs):
        lane = lanes.get(PERSON if rung.purpose is Purpose.CALL else rung.level)
        if lane is None or rung.purpose not in (Purpose.WARNING, Purpose.CALL):
            continue
        until, is_silent = _awaited(case, rung, n)
        left, right = axis.place(rung.began_us), axis.place(until)
        if right - left < 1:
            continue
        text = "silence" if is_silent else ""
        deadline = f"until {clock(rung.answer_due_us)} UTC" if rung.answer_due_us is not None else "without a deadline"
        ended = "nobody answered in time" if is_silent else f"no longer awaited at {clock(until)} UTC"
        yield Band(
            left, right, lane.top + 1, lane.height - 2, is_silent, text if right - left > 46 else "",
            f"{lane.name}: an answer was awaited from {clock(rung.began_us)} UTC {deadline}; {ended}",
        )  # fmt: skip


def _awaited(case: Case, rung: Rung, n: int) -> tuple[int, bool]:
    """Return until when the rung's answer was awaited, and whether that was the deadline passing in silence."""
    later = [s for s in case.steps if s.at_us >= rung.began_us]
    for step in later:
        if step.input in _SILENCE and step.level_before == rung.level and step.at_us == rung.answer_due_us:
            return step.at_us, True
    ends = [s.at_us for s in later if s.to_state not in (CaseState.AWAITING, CaseState.CALLING) or s.level > rung.level]
    nexts = [r.began_us for r in case.rungs[n + 1 :]]
    last = case.steps[-1].at_us if case.steps else rung.began_us
    due = rung.answer_due_us if rung.answer_due_us is not None else last
    return min(
        [due, last, *(at for at in ends if at > rung.began_us), *(at for at in nexts if at > rung.began_us)]
    ), False


def _stairs(steps: Sequence[Step], lanes: dict[int, Lane], axis: Axis) -> Markup:
    """Return the thick line: along a lane while the case is there, and straight up or down between two."""
    if not steps:
        return Markup()
    y = lanes[-1].middle
    found = [f"M{axis.place(steps[0].at_us)} {y}"]
    for step in steps:
        lane = _lane_of_step(step, lanes)
        if lane.middle != y:
            y = lane.middle
            found.append(f"H{axis.place(step.at_us)}V{y}")
    found.append(f"H{axis.place(steps[-1].at_us)}")
    return Markup("".join(found))


def _lane_of_step(step: Step, lanes: dict[int, Lane]) -> Lane:
    if step.to_state in (CaseState.CALLING, CaseState.EXHAUSTED) and PERSON in lanes and lanes[PERSON].is_reached:
        return lanes[PERSON]
    if step.to_state in (CaseState.STANDING_DOWN, CaseState.CLOSED):
        return lanes.get(0, lanes[-1])
    if step.to_state is CaseState.LULL:
        return lanes[-1]
    return lanes.get(step.level, lanes[-1])


def _describe(case: Case) -> str:
    tried = len(case.attempts)
    heard = sum(a.disposition is Disposition.COUNTED for a in case.acknowledgements)
    return (
        f"Timeline of the case of {visible(case.track_id)}: opened {clock(case.opened_us)} UTC, climbed to level "
        f"{case.highest_level}, {tried} attempts, {heard} acknowledgements in time. The steps follow as a list."
    )
