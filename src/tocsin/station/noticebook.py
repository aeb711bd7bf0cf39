"""The notice book: every notice and receipt that came in, kept on disk before it is answered, and followed.

One JSON object a line, appended and synced; read anew at the start, so that a station goes on with what it was told.
A new version of the agreement stands in it too, before the first entry that is judged by it, so that a restart judges
as the day did. A last line that was cut off by a crash was never answered and is taken off. Who may say or see what is
decided before and after (`agreement/notices/submit.py`, `serve/routes/notices.py`).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.load import parse
from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules, compile_rules
from tocsin.agreement.notices.submit import Given, item_of
from tocsin.agreement.terms.state import given
from tocsin.canon import canonical_line, parse_json
from tocsin.errors import Place, SettingError, TocsinError, UnitError
from tocsin.units import format_instant, parse_instant_us

VERSION = "version"
"""The sort of a line that says by which agreement version the lines after it were judged."""


class NoticeBook:
    """The notices of a station.

    Parameters
    ----------
    path : Path
        The file; made if it is not there. One process at a time has it.
    in_force : callable
        Returns the agreement version in force. Another one is followed from the next look at the book on; what was kept
        under an older one is read by that one again.

    Raises
    ------
    AgreementErrors
        If the terms of notices cannot be used.
    SettingError
        If a line of the file is no entry: it names the line.
    """

    def __init__(self, path: Path, in_force: Callable[[], Agreement]) -> None:
        self._path = path
        self._in_force = in_force
        self._followed = in_force()
        self._digest = b""
        self._unkept: list[bytes] = []
        self._register = Register(_rules_of(self._followed))
        self._turn = asyncio.Lock()
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                self._read(parse_json(line), f"{path.name}:{number}")
            except (ValueError, KeyError, TypeError, UnitError, TocsinError) as error:
                raise SettingError(str(error), expected="an entry", place=Place(str(path), number)) from error
        if whole != data:
            os.truncate(path, len(whole))

    def register(self, now_us: int) -> Register:
        """Return the register, with everything done that is due by now."""
        self._register.pass_time(now_us)
        agreement = self._in_force()
        if (agreement is not self._followed or not self._digest) and not self._turn.locked():
            self._follow(agreement, now_us)
        return self._register

    async def keep(self, entries: Sequence[Given]) -> list[Fact]:
        """Keep entries, then take them; return what came of it once that is durable.

        Raises
        ------
        OSError
            If they could not be kept: none was taken.
        """
        async with self._turn:
            lines = b"".join((*self._unkept, *(canonical_line(one.as_json()) for one in entries)))
            await asyncio.to_thread(self._append, lines)
            self._unkept.clear()
            return [fact for one in entries for fact in self._register.take(one.item)]

    def _read(self, kept: Any, source: str) -> None:
        if kept["sort"] == VERSION:
            agreement = _agreement_of(kept["value"])
            self._register.pass_time(parse_instant_us(kept["entered"]))
            self._register.adopt(_rules_of(agreement))
            self._digest = agreement.digest
        else:
            self._register.take(item_of(kept, source=source, entered_us=parse_instant_us(kept["entered"])))

    def _follow(self, agreement: Agreement, now_us: int) -> None:
        """Go over to a version; the line of it is kept with the next entry, before which it makes no difference."""
        self._followed = agreement
        if agreement.digest == self._digest:
            return
        self._digest = agreement.digest
        self._register.adopt(_rules_of(agreement))
        value = {"agreement": agreement.document.root.plain(), "geojson": agreement.collection}
        line = {"sort": VERSION, "value": value, "entered": format_instant(now_us)}
        self._unkept.append(canonical_line(line))

    def _append(self, lines: bytes) -> None:
        with self._path.open("ab") as file:
            before = file.tell()
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(self._path, before)
                raise


def open_book(path: Path, in_force: Callable[[], Agreement]) -> NoticeBook | None:
    """Return the notice book of an agreement; None where it asks for no notices at the start.

    Raises
    ------
    AgreementErrors
        If its terms of notices cannot be used.
    SettingError
        As `NoticeBook`.
    """
    agreement = in_force()
    if given(agreement.notices) is None or not _rules_of(agreement).by_name:
        return None
    return NoticeBook(path, in_force)


def _rules_of(agreement: Agreement) -> Rules:
    return compile_rules(agreement, compile_watchlist(agreement))


def _agreement_of(value: Mapping[str, Any]) -> Agreement:
    """Return the agreement that a line of a version holds."""
    told = dict(value["agreement"])
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        if value["geojson"] is not None:
            told["geojson"] = Path(told["geojson"]).name
            (Path(folder) / told["geojson"]).write_bytes(canonical_line(value["geojson"]))
        return parse(canonical_line(told), file=VERSION, folder=Path(folder))
