"""The notice book: a live station's notices as its HTTP door gives them in and reads them.

The notices are the core's (`core/noticing.py`); this is a copy of their register that takes the same steps once each is
durable, so that a door shows nothing that could still be lost, and no thread reads what another changes. Who may say or
see what is decided before and after (`agreement/notices/submit.py`, `serve/routes/notices.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from tocsin.agreement.notices.dump import dump_register, load_register
from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules
from tocsin.agreement.notices.submit import Given
from tocsin.canon import canonical_line
from tocsin.station.core.inputs import Saying
from tocsin.station.core.noticing import Noticing
from tocsin.station.core.state import Commit, State
from tocsin.station.core.terms import Terms
from tocsin.station.durable.ticker import Ticker


class NoticeBook:
    """The notices of a running station, for the thread of its door.

    Parameters
    ----------
    ticker : Ticker
        Not started yet.
    terms : Terms
        In force, if the station is new.
    """

    def __init__(self, ticker: Ticker, terms: Terms) -> None:
        self._ticker = ticker
        self._noticing = _copy_of(ticker.state, terms.rules)
        self._steps: deque[tuple[Commit, Rules | None]] = deque()
        ticker.on_commit.append(self._committed)

    def register(self, now_us: int) -> Register:
        """Return the register as of the last durable tick; `now_us` is the asker's and decides nothing."""
        while self._steps:
            commit, rules = self._steps.popleft()
            self._noticing.step([saying.item() for saying in commit.sayings], commit.at_us, rules=rules)
        return self._noticing.register

    async def keep(self, entries: Sequence[Given]) -> list[Fact]:
        """Give entries in; return what came of them once that is durable.

        Raises
        ------
        RefusedError
            If the station does not take them now.
        """
        sayings = [Saying(line=canonical_line(entry.as_json())) for entry in entries]
        answers = await asyncio.wrap_future(self._ticker.say(sayings))
        return [fact for answer in answers for fact in answer]

    def _committed(self, commit: Commit) -> None:
        rules = commit.rules
        if commit.sayings or commit.notice_facts or rules is not None:
            self._steps.append((commit, rules))


def _copy_of(state: State | None, rules: Rules) -> Noticing:
    if state is None:
        return Noticing(register=Register(rules))
    noticing = state.noticing
    return Noticing(register=load_register(dump_register(noticing.register), noticing.register.rules), day=noticing.day)
