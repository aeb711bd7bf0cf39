"""Who is entitled to what, and what of it has arrived: read from the record alone.

An envelope names its audience, so a party can see that there is something for it even when nobody sends it:
"entitled, not delivered". What others may have seen follows from the same envelopes and, for the keeper, from the
disclosures. Decides nothing: the audience was decided when the entry was sealed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.tiles import ENTRIES, TILE_WIDTH, ReadFile, TileReader, parse_bundle
from tocsin.record.envelope import Envelope, parse_envelope
from tocsin.record.payload import payload_file, read_openings

DISCLOSURE_KIND = "disclosure"
"""Kind of the entries that tell what was handed to whom."""


class Sight(Struct, frozen=True, kw_only=True):
    """One entry that a party could see.

    Attributes
    ----------
    index : int
    kind, at : str
        As the envelope has them.
    by : str
        `audience`, or `disclosure` for what was handed over beyond it.
    disclosed : tuple of int
        Entries that tell of its being handed to this party, as far as their payloads are here.
    """

    index: int
    kind: str
    at: str
    by: str
    disclosed: tuple[int, ...]


def envelopes(read: ReadFile, size: int) -> Iterator[tuple[int, Envelope]]:
    """Yield index and envelope of every entry of a tree that is one.

    Parameters
    ----------
    read : callable
        Reads the record's files; audit them first.
    size : int
        Entries of the tree.
    """
    reader = TileReader(read, size)
    for number in range(-(-size // TILE_WIDTH)):
        data, width, path = reader.bytes_of(ENTRIES, number)
        for index, entry in enumerate(parse_bundle(data, width, path), start=number * TILE_WIDTH):
            try:
                envelope = parse_envelope(entry)
            except VerificationError:
                continue  # another format's entry; it names no audience
            yield index, envelope


def undelivered(read: ReadFile, size: int, party: str, held: Set[int]) -> list[int]:
    """Return the entries that a party is entitled to and whose payload is not here.

    Parameters
    ----------
    read, size
        See `envelopes`.
    party : str
    held : set of int
        Entries whose payload was verified.
    """
    return [
        index
        for index, envelope in envelopes(read, size)
        if envelope.commitment is not None and envelope.is_for(party) and index not in held
    ]


def could_see(
    read: ReadFile, size: int, party: str, until: str, payloads: Mapping[int, bytes] | None = None
) -> list[Sight]:
    """Return what a party could see at a time, in the order of the log.

    Parameters
    ----------
    read, size
        See `envelopes`.
    party : str
    until : str
        RFC 3339 UTC with microseconds, as in envelopes; entries of this very time are included.
    payloads : mapping of int to bytes or None
        Verified payloads of `disclosure` entries; whoever has not got them sees audiences only.

    Notes
    -----
    The times are the keeper's statements. What bounds them are cosignatures: an entry in a tree that a witness had
    seen at T was there at T.
    """
    found = [(index, envelope) for index, envelope in envelopes(read, size) if envelope.at <= until]
    handed: dict[int, list[int]] = {}
    for index, envelope in found:
        payload = (payloads or {}).get(index)
        if envelope.kind == DISCLOSURE_KIND and payload is not None:
            content = json.loads(payload)
            if content["to"] == party:
                for entry in entries_in(content):
                    handed.setdefault(entry, []).append(index)
    return [
        Sight(
            index=index,
            kind=envelope.kind,
            at=envelope.at,
            by="audience" if envelope.is_for(party) else "disclosure",
            disclosed=tuple(handed.get(index, ())),
        )
        for index, envelope in found
        if envelope.is_for(party) or index in handed
    ]


def disclosure_payloads(read: ReadFile, size: int, folder: Path) -> dict[int, bytes]:
    """Return the payloads of `disclosure` entries that lie in a folder of payloads, verified, by index.

    Parameters
    ----------
    read, size
        See `envelopes`.
    folder : Path
        `payload/`, the keeper's or a party's.

    Raises
    ------
    VerificationError
        If one does not open its commitment.
    """
    wanted = {index: envelope for index, envelope in envelopes(read, size) if envelope.kind == DISCLOSURE_KIND}
    found: dict[int, bytes] = {}
    for number in sorted({index // TILE_WIDTH for index in wanted}):
        if not (folder / payload_file(number)).exists():
            continue
        for opening in read_openings(folder, number, size):
            if opening.index in wanted:
                wanted[opening.index].check_opens(opening.salt, opening.payload)
                found[opening.index] = opening.payload
    return found


def entries_in(disclosure: Mapping[str, Any]) -> Iterator[int]:
    """Yield the entries that a disclosure's payload names as half-open ranges."""
    for start, end in disclosure["entries"]:
        yield from range(start, end)


def ranges_of(indices: Set[int]) -> list[list[int]]:
    """Return indices as half-open ranges.

    Examples
    --------
    >>> ranges_of({3, 7, 8, 9})
    [[3, 4], [7, 10]]
    """
    ranges: list[list[int]] = []
    for index in sorted(indices):
        if ranges and ranges[-1][1] == index:
            ranges[-1][1] = index + 1
        else:
            ranges.append([index, index + 1])
    return ranges
