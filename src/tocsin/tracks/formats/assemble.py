"""Parts of AIS messages into whole ones, with a bound on how many may wait.

By IEC 61162-1: a message of several sentences numbers them, and gives all of them one sequential identifier. The
parts of two receivers are kept apart by the group or station that a tag block names. Parts may come in any order; one
that comes twice, or whose others are not among the last `MAX_WAITING` unfinished messages, stands alone.
"""

from __future__ import annotations

from msgspec import Struct

MAX_WAITING = 256
"""Unfinished messages kept (P11); stations reuse ten sequence numbers, so a part this old has lost its others."""

MAX_LINES_APART = 2_000
"""Lines between the parts of one message; beyond it the same number means another message."""


class Fragment(Struct, frozen=True, kw_only=True):
    """One sentence of a message.

    Attributes
    ----------
    line : int
    text, body, payload : bytes
        The line, its sentence, and the armoured bits in it.
    fill : int
        Bits at the end that belong to no message.
    count, number : int
        How many parts, and which this is.
    sequence, source : bytes
        Sequential identifier; the group or station that a tag block names, if any.
    at_us : int or None
        When it was received.
    naive : bool
        True if its line told a time without a zone.
    arrived : bool
        True if `at_us` is when it came here, since its line told no time.
    """

    line: int
    text: bytes
    body: bytes
    payload: bytes
    fill: int
    count: int
    number: int
    sequence: bytes
    source: bytes
    at_us: int | None
    naive: bool
    arrived: bool = False


class Assembler:
    """Keeps the parts of unfinished messages."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[bytes, bytes, bytes, int], dict[int, Fragment]] = {}

    def push(self, fragment: Fragment) -> tuple[list[Fragment], list[Fragment]]:
        """Take one part; return the parts of the message that it completes, and those given up.

        Parameters
        ----------
        fragment : Fragment

        Returns
        -------
        whole, given_up : list of Fragment
            In order of number, empty if no message is complete; in order of line.
        """
        if not 1 <= fragment.number <= fragment.count:
            return [], [fragment]
        if fragment.count == 1:
            return [fragment], []
        # Message type and talker stand in the first bytes of the sentence: !AIVDM.
        key = (fragment.sequence, fragment.source, fragment.body[:6], fragment.count)
        if not fragment.source:
            # Many loggers write the tag block before the first part only.
            key = next((k for k in reversed(self._waiting) if k[0] == key[0] and k[2:] == key[2:]), key)
        given_up: list[Fragment] = []
        held = self._waiting.pop(key, {})
        if held and (fragment.number in held or fragment.line - min(f.line for f in held.values()) > MAX_LINES_APART):
            given_up = list(held.values())
            held = {}
        held[fragment.number] = fragment
        if len(held) == fragment.count:
            return [held[number] for number in sorted(held)], given_up
        self._waiting[key] = held
        if len(self._waiting) > MAX_WAITING:
            given_up += self._waiting.pop(next(iter(self._waiting))).values()
        return [], sorted(given_up, key=lambda f: f.line)

    def flush(self) -> list[Fragment]:
        """Return and forget all parts that still wait, in order of line."""
        waiting = [f for held in self._waiting.values() for f in held.values()]
        self._waiting.clear()
        return sorted(waiting, key=lambda f: f.line)
