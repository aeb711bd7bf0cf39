"""The notice book: every notice and receipt that came in, kept on disk before it is answered, and followed.

One JSON object a line, appended and synced; read anew at the start, so that a station goes on with what it was told.
A last line that was cut off by a crash was never answered and is taken off. Who may say or see what is decided before
and after (`agreement/notices/submit.py`, `serve/routes/notices.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules, compile_rules
from tocsin.agreement.notices.submit import Given, item_of
from tocsin.agreement.terms.state import given
from tocsin.canon import canonical_line, parse_json
from tocsin.errors import Place, SettingError, UnitError
from tocsin.units import parse_instant_us


class NoticeBook:
    """The notices of a station.

    Parameters
    ----------
    path : Path
        The file; made if it is not there. One process at a time has it.
    rules : Rules
        Of the agreement version in force.

    Raises
    ------
    SettingError
        If a line of the file is no entry: it names the line.
    """

    def __init__(self, path: Path, rules: Rules) -> None:
        self._path = path
        self._register = Register(rules)
        self._turn = asyncio.Lock()
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                kept = parse_json(line)
                item = item_of(kept, source=f"{path.name}:{number}", entered_us=parse_instant_us(kept["entered"]))
            except (ValueError, KeyError, TypeError, UnitError) as error:
                raise SettingError(str(error), expected="an entry", place=Place(str(path), number)) from error
            self._register.take(item)
        if whole != data:
            os.truncate(path, len(whole))

    def register(self, now_us: int) -> Register:
        """Return the register, with everything done that is due by now."""
        self._register.pass_time(now_us)
        return self._register

    async def keep(self, entries: Sequence[Given]) -> list[Fact]:
        """Keep entries, then take them; return what came of it once that is durable.

        Raises
        ------
        OSError
            If they could not be kept: none was taken.
        """
        async with self._turn:
            lines = b"".join(canonical_line(one.as_json()) for one in entries)
            await asyncio.to_thread(self._append, lines)
            return [fact for one in entries for fact in self._register.take(one.item)]

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


def open_book(path: Path, agreement: Agreement) -> NoticeBook | None:
    """Return the notice book of an agreement; None where it asks for no notices.

    Raises
    ------
    AgreementErrors
        If its terms of notices cannot be used.
    SettingError
        As `NoticeBook`.
    """
    if given(agreement.notices) is None:
        return None
    rules = compile_rules(agreement, compile_watchlist(agreement))
    return NoticeBook(path, rules) if rules.by_name else None
