"""FMT: the file itself. Outside the list of mechanisms; nothing in a file is ignored without saying so."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.state import State


@check(
    "FMT-01",
    "every key is known",
    severity=Severity.INFORMATION,
    keys=(),
    fix="note: words for people may stand under note, comment or source in every section",
)
def unknown_keys(view: View) -> Iterator[Gap]:
    """Find the keys that the format does not have: kept, hashed, and read by nothing."""
    for unknown in view.agreement.unknown:
        near = f"; the nearest known key is {unknown.nearest}" if unknown.nearest else ""
        message = f"Key {unknown.key} is not known to this format, so nothing reads it{near}."
        yield Gap(State.SET, unknown.path, message)
