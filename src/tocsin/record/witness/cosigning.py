"""Cosigning: a log's checkpoints go round its witnesses after each publication, and nothing ever waits for them.

What a live station calls beside its watch. `tick` takes in what came back, puts it into the record and asks whoever is
due, in threads of their own; it returns at once. What is known of each witness lies in `DIR/witnesses`, durable, so
that a restart neither forgets a witness's size nor floods one that is down. Decisions are `round.py`'s. A witness that
remembers another history is the one answer that a person must see: `contradiction`.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.merkle import consistency_proof
from tocsin.record.c2sp.note import SignedNote, parse_note
from tocsin.record.c2sp.policy import Policy, Witness
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.files import replace_file
from tocsin.record.log import Log
from tocsin.record.verifier.verify import WITNESSED
from tocsin.record.witness.client import (
    REQUESTS,
    TIMEOUT_S,
    Outcome,
    Reply,
    ask_witness,
    ask_witnesses,
    require_not_behind,
)
from tocsin.record.witness.round import Round, Standing
from tocsin.units import format_instant_if

STATE = "witnesses"
"""File beside `record/` with what is known of each witness."""

STATE_FORMAT = "tocsin-cosigning/1"
"""Value of `format` in it."""

MAX_HANGING = 4
"""Requests to one witness that may hang beyond their time; more are not begun until one of them ends."""

_LOGGER = logging.getLogger(__name__)


class WitnessStatus(Struct, frozen=True, kw_only=True):
    """How far a log's witnesses stand behind it.

    Attributes
    ----------
    quorum : str
        In words, such as "2 of coalition, syria, un".
    published : int
        Entries in the newest signed tree.
    witnessed : int
        Entries that a quorum has seen.
    since_us : int or None
        When a quorum last saw a tree, microseconds UTC: what came later is unwitnessed since then. None if none ever
        did.
    standings : dict of str to Standing
        By witness.
    contradiction : str
        The witness that remembers another history, in words; empty if none does.
    """

    quorum: str
    published: int
    witnessed: int
    since_us: int | None
    standings: dict[str, Standing]
    contradiction: str

    @property
    def is_witnessed(self) -> bool:
        """True if a quorum has seen everything that is published."""
        return self.witnessed >= self.published

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, times as RFC 3339."""
        since = format_instant_if(self.since_us)
        return {
            "quorum": self.quorum,
            "published": self.published,
            "witnessed": self.witnessed,
            "unwitnessed_since": None if self.is_witnessed else since or "the log began",
            "last_quorum": since,
            "contradiction": self.contradiction or None,
            "witnesses": {
                name: {
                    "size": standing.size,
                    "last_cosignature": format_instant_if(standing.cosigned_us),
                    "outcome": standing.outcome or None,
                    "detail": standing.detail,
                    "failures": standing.failures,
                }
                for name, standing in self.standings.items()
            },
        }


class _Request(Struct, frozen=True, kw_only=True, eq=False):
    """One checkpoint on its way to one witness."""

    note: SignedNote
    began_us: int


class Cosigning:
    """The keeper's side of witnessing for one open log.

    Everything but the requests happens in the caller's thread, which is the one that writes the log.

    Parameters
    ----------
    log : Log
        Open.
    policy : Policy
        As the log's last `witnesses` entry has it. Witnesses without a URL are not asked; what they sign comes in by
        `Log.add_cosignatures`.
    timeout_s : float
        Seconds for one request.

    Raises
    ------
    RecordError
        If the state file is damaged: then it is moved away by hand, and each witness says anew what it knows.
    """

    def __init__(self, log: Log, policy: Policy, *, timeout_s: float = TIMEOUT_S) -> None:
        self._log = log
        self._policy = policy
        self._timeout_s = timeout_s
        self._asked = {witness.name: witness for witness in policy.witnesses if witness.url}
        self._path = log.folder / STATE
        saved = _load(self._path)
        self._standings = {name: saved.get(str(w.vkey), Standing()) for name, w in self._asked.items()}
        self._done: SimpleQueue[tuple[_Request, Reply]] = SimpleQueue()
        self._threads: dict[str, list[Thread]] = {name: [] for name in self._asked}
        self._pending: dict[str, _Request] = {}
        self._note = log.note
        self._round: Round | None = None
        self._contradiction = ""

    @property
    def contradiction(self) -> str:
        """The witness that remembers another history of this log, in words; empty if none does.

        Then this folder is an old copy, or somebody else signs with the key: warnings go on, publishing must not,
        until a person has decided.
        """
        return self._contradiction

    def require_not_behind(self, now_us: int) -> list[Reply]:
        """Ask every witness once, and wait: what a keeper does before it goes on with a folder.

        Returns the replies, unreachable witnesses among them; takes at most twice `timeout_s`.

        Raises
        ------
        RecordError
            If a witness remembers more than this folder holds, or another history.
        """
        note, size = self._log.note, self._log.published.size
        sizes = {name: standing.size for name, standing in self._standings.items()}
        reader = TileReader(self._log.read, size)
        replies = ask_witnesses(
            self._policy,
            note,
            lambda old: consistency_proof(old, size, reader.subtree_root),
            known_sizes=sizes,
            timeout_s=self._timeout_s,
        )
        self._begin(now_us)
        for reply in replies:
            self._take(note, reply, now_us)
        self._save()
        require_not_behind(replies)
        return replies

    def tick(self, now_us: int) -> list[Reply]:
        """Take in the answers that came, and ask whoever is due for the newest checkpoint; never waits for anybody.

        Parameters
        ----------
        now_us : int
            Microseconds UTC.

        Returns
        -------
        list of Reply
            What came in since the last time.

        Raises
        ------
        RecordError
            If the disk refuses a cosignature or the state; the answers are asked for again.
        """
        replies = []
        while True:
            try:
                request, reply = self._done.get_nowait()
            except Empty:
                break
            if self._pending.get(reply.witness) is request:
                del self._pending[reply.witness]
            replies.append(self._take(request.note, reply, now_us))
        replies += self._give_up(now_us)
        if self._round is None or self._round.is_over(self._log.published.size, self._asked, now_us):
            self._begin(now_us)
        assert self._round is not None
        if self._round.size:
            for name in self._round.to_ask(self._standings, self._busy(), now_us):
                self._ask(self._asked[name], now_us)
        if replies:
            self._save()
        return replies

    def status(self) -> WitnessStatus:
        """Return how far the witnesses stand behind the log, from what its folder says."""
        size, since_us = _witnessed(self._log, self._policy)
        return WitnessStatus(
            quorum=self._policy.words,
            published=self._log.published.size,
            witnessed=size,
            since_us=since_us,
            standings=dict(self._standings),
            contradiction=self._contradiction,
        )

    def _begin(self, now_us: int) -> None:
        self._note = self._log.note
        self._round = Round(size=self._log.published.size, began_us=now_us)

    def _busy(self) -> set[str]:
        return {name for name in self._asked if name in self._pending or len(self._threads[name]) >= MAX_HANGING}

    def _ask(self, witness: Witness, now_us: int) -> None:
        request, size = _Request(note=self._note, began_us=now_us), parse_checkpoint(self._note.text).size
        known, reader = self._standings[witness.name].size, TileReader(self._log.read, size)

        def prove(old: int) -> list[bytes]:
            return consistency_proof(old, size, reader.subtree_root)

        def ask() -> None:
            """Ask in a thread: a witness may be slow."""
            try:
                reply = ask_witness(witness, request.note, prove, known, self._timeout_s)
            except (RecordError, OSError) as error:  # the proof, out of a folder that cannot be read
                reply = Reply(witness=witness.name, outcome=Outcome.UNREACHABLE, detail=str(error))
            self._done.put((request, reply))

        thread = Thread(target=ask, name=f"witness {witness.name}", daemon=True)
        self._pending[witness.name] = request
        self._threads[witness.name].append(thread)
        thread.start()

    def _give_up(self, now_us: int) -> list[Reply]:
        """Count as unreachable whoever has not answered in time, such as a server that drips one byte at a time."""
        limit_s = REQUESTS * self._timeout_s
        late = []
        for name, threads in self._threads.items():
            threads[:] = [thread for thread in threads if thread.is_alive()]
            request = self._pending.get(name)
            if request and threads and not 0 <= now_us - request.began_us <= (limit_s + 1) * US_PER_S:
                del self._pending[name]
                detail = f"no whole answer within {limit_s:g} s"
                reply = Reply(witness=name, outcome=Outcome.UNREACHABLE, detail=detail)
                late.append(self._take(request.note, reply, now_us))
        return late

    def _take(self, note: SignedNote, reply: Reply, now_us: int) -> Reply:
        """Put what a witness answered into the record and into what is known of it."""
        is_met = False
        if reply.lines:
            if note.text == self._note.text:
                theirs = [s for s in self._note.signatures if s not in reply.lines]
                self._note = note = SignedNote(text=note.text, signatures=(*theirs, *reply.lines))
            is_met = self._log.add_cosignatures(note, reply.lines, self._policy)
        if self._round and note.text == self._note.text:
            self._round = self._round.after(reply, is_met=is_met)
        before = self._standings[reply.witness]
        self._standings[reply.witness] = before.after(reply, now_us)
        if reply.outcome in {Outcome.AHEAD, Outcome.CONTRADICTS}:
            self._contradiction = f"witness {reply.witness} remembers another history: {reply.detail}"
        if reply.outcome != before.outcome:
            _LOGGER.warning(
                "witness.outcome",
                extra={"witness": reply.witness, "outcome": str(reply.outcome), "reason": reply.detail},
            )
        return reply

    def _save(self) -> None:
        told = {str(self._asked[name].vkey): standing.as_json() for name, standing in self._standings.items()}
        text = json.dumps({"format": STATE_FORMAT, "witnesses": told}, indent=1, sort_keys=True)
        try:
            replace_file(self._path, text.encode() + b"\n")
        except OSError as error:
            raise RecordError(f"{self._path}: could not be written: {error}") from error


def _load(path: Path) -> dict[str, Standing]:
    """Return what a state file says, by vkey: a witness with a new key is a new witness."""
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != STATE_FORMAT:
            raise VerificationError(f"format {value['format']!r}: expected {STATE_FORMAT!r}")
        return {vkey: Standing(**told) for vkey, told in value["witnesses"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError, VerificationError) as error:
        raise RecordError(
            f"{path}: found a damaged state of the witnesses ({error}); move it away, and each is asked anew"
        ) from None


def _witnessed(log: Log, policy: Policy) -> tuple[int, int | None]:
    """Return the size of the newest witnessed tree and when its quorum saw it; (0, None) if there is none."""
    data = log.read(WITNESSED)
    if data is None:
        return 0, None
    note = parse_note(data)
    keys = {(w.vkey.name, w.vkey.key_id): w.vkey for w in policy.witnesses}
    theirs = tuple(line for line in note.signatures if (line.name, line.key_id) in keys)
    size = parse_checkpoint(note.text).size
    if not theirs:
        return size, None
    times = open_note(SignedNote(text=note.text, signatures=theirs), keys.values()).verified.values()
    return size, max(time for time in times if time is not None) * US_PER_S
