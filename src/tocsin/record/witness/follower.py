"""Following a record where it is served: a witness that looks for itself, besides being asked.

Reads the public checkpoint, proves it consistent with this witness's memory out of the served tiles, and lets the
keeper's own rules decide (`keeper.py`), so that what is shown to the public and what is sent to witnesses become one
history or evidence of two. Trusts nothing it reads; writes nothing but the memory.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.merkle import consistency_proof
from tocsin.record.c2sp.note import parse_note
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.verifier.source import Source
from tocsin.record.verifier.verify import CHECKPOINT
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import Status, format_request


class Sight(StrEnum):
    """What a look at a served record came to."""

    COSIGNED = "cosigned"
    SAME = "same"
    """It is the tree this witness cosigned last."""
    BEHIND = "behind"
    """A smaller tree than this witness has cosigned: an old copy, or what was signed since is withheld."""
    CONTRADICTS = "contradicts"
    """Signed by the log, and not the history this witness remembers."""
    INVALID = "invalid"
    UNREACHABLE = "unreachable"


class Look(Struct, frozen=True, kw_only=True):
    """One look.

    Attributes
    ----------
    sight : Sight
    origin : str
        Empty if no checkpoint could be read.
    size : int
        Entries shown.
    detail : str
        In words; empty where there is nothing to say.
    """

    sight: Sight
    origin: str = ""
    size: int = 0
    detail: str = ""


def look(source: Source, keeper: WitnessKeeper, now_us: int) -> Look:
    """Look at a served record once, and cosign what it shows if this witness may.

    Parameters
    ----------
    source : Source
        The record's files.
    keeper : WitnessKeeper
    now_us : int
        Microseconds UTC.

    Raises
    ------
    RecordError
        If the witness's own memory is damaged or cannot be made durable.
    """
    try:
        data = source.read(CHECKPOINT)
        if data is None:
            return Look(sight=Sight.UNREACHABLE, detail=f"no {CHECKPOINT} there")
        note = parse_note(data)
        shown = parse_checkpoint(note.text)
    except RecordError as error:
        return Look(sight=_sight_of(error), detail=str(error))
    known = keeper.size(shown.origin) if shown.origin in keeper.logs else 0
    if known > shown.size:
        detail = f"it shows {shown.size:,} entries and had {known:,}"
        return Look(sight=Sight.BEHIND, origin=shown.origin, size=shown.size, detail=detail)
    try:
        reader = TileReader(source.read, shown.size)
        proof = consistency_proof(known, shown.size, reader.subtree_root) if known else []
    except RecordError as error:
        return Look(sight=_sight_of(error), origin=shown.origin, size=shown.size, detail=str(error))
    answer = keeper.add_checkpoint(format_request(known, proof, note), now_us)
    detail = "" if answer.status == Status.OK else answer.body.decode(errors="replace").strip()
    sight = {
        Status.OK: Sight.SAME if known == shown.size else Sight.COSIGNED,
        Status.CONFLICT: Sight.BEHIND,  # somebody asked for a larger one meanwhile
        Status.UNPROCESSABLE: Sight.CONTRADICTS,
    }.get(Status(answer.status), Sight.INVALID)
    return Look(sight=sight, origin=shown.origin, size=shown.size, detail=detail)


def _sight_of(error: RecordError) -> Sight:
    return Sight.INVALID if isinstance(error, VerificationError) else Sight.UNREACHABLE
