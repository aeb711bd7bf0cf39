"""Snapshots: a docket or a case as JSON and back, exactly: the one read back takes every step like the one written.

One state has one sequence of bytes (keys sorted, floats at their shortest exact form). It is the desk's own memory and
no format for others: that is `Case.as_line`. A snapshot of another format is refused, never guessed at. Not a number is
null here, as everywhere in our JSON; only an event's accuracy can be missing like that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tocsin.warn.case import Case
from tocsin.warn.docket import Docket

FORMAT = "tocsin-desk/1"
"""What the first key of a snapshot says."""

_ENCODER = msgspec.json.Encoder(order="sorted")


def dump_case(case: Case) -> bytes:
    """Return a case as one line of JSON, without the line's end."""
    return _ENCODER.encode(case)


def load_case(raw: bytes) -> Case:
    """Return the case of a `dump_case`.

    Raises
    ------
    ValueError
        If it is none.
    """
    return _case(_decoded(raw))


def dump(docket: Docket) -> bytes:
    """Return a docket as JSON: what it keeps, and no index.

    Notes
    -----
    A station that writes a delta a step keeps `dump_case` of every `Decided.changed`, what stands for every
    `Decided.standing` and `Docket.now_us`, and drops every `Decided.retired`; `restore` takes the parts.
    """
    head = {"format": FORMAT, "now_us": docket.now_us, "standing": docket.standing}
    return _ENCODER.encode({**head, "cases": list(docket.cases.values())})


def load(raw: bytes) -> Docket:
    """Return the docket of a `dump`.

    Raises
    ------
    ValueError
        If it is none, or of another format.
    """
    found = _decoded(raw)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        said = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise ValueError(f"found a snapshot of format {said!r}, expected {FORMAT!r}")
    standing = {track: tuple(what) for track, what in found["standing"].items()}
    return Docket(map(_case, found["cases"]), standing=standing, now_us=found["now_us"])


def restore(cases: Iterable[bytes], *, standing: dict[str, tuple[str, ...]], now_us: int) -> Docket:
    """Return the docket of its parts: cases in any order, what stands for each track, and its last step's time.

    Raises
    ------
    ValueError
        If one of the cases is none.
    """
    held = sorted(map(load_case, cases), key=lambda case: (case.opened_us, case.case_id))
    return Docket(held, standing=standing, now_us=now_us)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise ValueError(f"found no JSON: {error}, expected a snapshot of a desk") from error


def _case(found: Any) -> Case:
    try:
        for event in found["events"]:
            if event["accuracy_m"] is None:
                event["accuracy_m"] = float("nan")
        return msgspec.convert(found, Case)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise ValueError(f"found no case: {error}, expected one as a snapshot holds it") from error
