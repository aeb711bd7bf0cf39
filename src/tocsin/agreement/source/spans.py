"""Spans: where each value of a YAML text begins and ends, in characters, so that an edit can touch it alone.

Reads the same events as `document.py`, which has said already that the text is allowed; here are only the places.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from msgspec import Struct, field


class Span(Struct, kw_only=True):
    """One value's place in the text.

    Attributes
    ----------
    start, end : int
        Characters from the start of the text, half-open; the end of a block is the end of its last value.
    column : int
        Of the first key or dash of a block, from 0.
    is_flow, is_alias : bool
        Written in braces or brackets; an alias of something above.
    members : dict of str to Span
        Of a mapping by key, of a list by its place as text.
    after_key : int
        The end of its key, before the colon; for a list member and the root its own start.
    """

    start: int
    end: int
    column: int = 0
    is_flow: bool = False
    is_alias: bool = False
    members: dict[str, Span] = field(default_factory=dict)
    after_key: int = 0

    def scalars(self) -> Iterator[Span]:
        """Yield the values below it that hold no others, in order; itself, if it holds none."""
        if not self.members:
            yield self
        for member in self.members.values():
            yield from member.scalars()


def spans_of(text: str) -> Span:
    """Return the spans of a text that `compose` accepts.

    Parameters
    ----------
    text : str
        Without byte order mark.

    Raises
    ------
    yaml.YAMLError
        For text that is not YAML.
    """
    events = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
    next(events)
    next(events)
    return _span(next(events), events, text)


def _span(event: yaml.Event, events: Iterator[yaml.Event], text: str) -> Span:
    start, end, column = _at(event)
    if isinstance(event, yaml.AliasEvent):
        return Span(start=start, end=end, is_alias=True, after_key=start)
    if isinstance(event, yaml.ScalarEvent):
        end = start + len(text[start:end].rstrip()) if event.style in ("|", ">") else end
        return Span(start=start, end=end, after_key=start)
    is_list = isinstance(event, yaml.SequenceStartEvent)
    assert isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent)
    found = Span(start=start, end=end, column=column, is_flow=bool(event.flow_style), after_key=start)
    for inner in events:
        _, end, column = _at(inner)
        if isinstance(inner, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            found.end = end if found.is_flow else found.end
            break
        if is_list:
            member = _span(inner, events, text)
            found.members[str(len(found.members))] = member
        else:
            assert isinstance(inner, yaml.ScalarEvent)
            found.column = column if not found.members else found.column
            member = _span(next(events), events, text)
            member.after_key = end
            found.members[inner.value] = member
        found.end = max(found.end, member.end)
    return found


def _at(event: yaml.Event) -> tuple[int, int, int]:
    """Return the start and end of an event in characters, and its column from 0."""
    start, end = event.start_mark, event.end_mark
    assert start is not None and end is not None  # libyaml marks every event
    return start.index, end.index, start.column
