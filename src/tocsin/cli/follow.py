"""`tocsin rehearse DRAFT --station DIR --follow`: a line for all that the draft or the version in force tells.

Goes on until it is interrupted; then says how much each of them told. Decides nothing: `station/shadow.py` does.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.station.shadow import Shadow

LOOK_EVERY_S = 1.0
"""Seconds between two looks at the store: a station makes a tick at least as often."""


def follow(draft: Path, station: Path, *, store: str | None, routes: Path | None) -> None:
    """Follow a station with a draft until interrupted.

    Parameters
    ----------
    draft, station : Path
    store : str or None
        A database URL, where the station was given one.
    routes : Path or None

    Raises
    ------
    AgreementErrors, SettingError, ReportError
        If the draft could not run as it stands.
    StoreError, RefusedError
        If there is nothing to follow, or the draft is no later version of it.
    """
    from tocsin.station.core.terms import compile_terms, read_text
    from tocsin.station.shadow import Shadow
    from tocsin.units import format_instant

    shadow = Shadow(station, compile_terms(read_text(draft, routes=routes)), store_url=store)
    try:
        print(f"as if in force since {format_instant(shadow.begun_us)}; no message leaves", file=sys.stderr)
        while True:
            for compared in shadow.step():
                sys.stdout.write(compared.as_line().decode())
            sys.stdout.flush()
            pause()
    except KeyboardInterrupt:
        print(_summary(shadow), file=sys.stderr)
    finally:
        shadow.close()


def pause() -> None:
    """Wait until the next look."""
    time.sleep(LOOK_EVERY_S)


def _summary(shadow: Shadow) -> str:
    from tocsin.station.shadow import BOTH, DRAFT, IN_FORCE

    words = {"event": "events", "case_opened": "cases", "message": "messages"}
    told = (
        f"{by.replace('_', ' ')}: " + ", ".join(f"{shadow.counts[by, sort]} {word}" for sort, word in words.items())
        for by in (DRAFT, IN_FORCE, BOTH)
    )
    return "\n".join(told)
