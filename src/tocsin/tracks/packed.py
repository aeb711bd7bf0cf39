"""Packed reports: a batch as bytes, and back exactly as it was, in microseconds for a few reports.

For the store's own ticks and snapshots (DESIGN P4), which are read by the same program alone; an archive for others is
Parquet (`archive.py`). The columns stand one after the other as they lie in memory, the widest first so that each is
aligned; little-endian on every machine. Larger ones are compressed (LZ4). Checks no sum: the store does.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.tracks.batch import ReportBatch

COLUMNS: dict[str, str] = {
    **dict.fromkeys(("observed_us", "received_us"), "<i8"),
    **dict.fromkeys(("lat_deg", "lon_deg"), "<f8"),
    **dict.fromkeys(("alt_m", "speed_mps", "course_deg", "heading_deg", "accuracy_m"), "<f4"),
    **dict.fromkeys(("track", "feed", "party", "category"), "<i4"),
}
"""The columns in their order, and how a value of each is written."""

FORMAT = 1
"""First field; another one is refused."""

PLAIN_BYTES = 8_192
"""Columns up to this many bytes, those of a hundred reports, are not worth the time it takes to compress them."""

_CODEC = "lz4"


class _Packed(msgspec.Struct, array_like=True):
    """A batch as it is kept; `byte_count` is that of the columns before they were compressed, 0 if they are not."""

    format: int
    count: int
    byte_count: int
    columns: bytes
    tracks: tuple[str, ...]
    feeds: tuple[str, ...]
    parties: tuple[str, ...]
    categories: tuple[str, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)


def dump_batch(batch: ReportBatch) -> bytes:
    """Return a batch as bytes that `load_batch` reads."""
    columns = b"".join([getattr(batch, name).astype(kind, copy=False).tobytes() for name, kind in COLUMNS.items()])
    byte_count = 0
    if len(columns) > PLAIN_BYTES:
        byte_count, columns = len(columns), pa.compress(columns, codec=_CODEC, asbytes=True)
    names = (batch.tracks, batch.feeds, batch.parties, batch.categories)
    return _ENCODER.encode(_Packed(FORMAT, len(batch), byte_count, columns, *names))


def load_batch(raw: bytes) -> ReportBatch:
    """Return the batch that `dump_batch` wrote; its columns can only be read.

    Raises
    ------
    ValueError
        If the bytes are none, or of another format.
    """
    try:
        kept = _DECODER.decode(raw)
        if kept.format != FORMAT:
            raise ValueError(f"found packed reports of format {kept.format}, expected {FORMAT}")
        columns = kept.columns
        if kept.byte_count:
            columns = pa.decompress(columns, decompressed_size=kept.byte_count, codec=_CODEC, asbytes=True)
    except (msgspec.MsgspecError, pa.ArrowException) as error:
        raise ValueError(f"found no packed reports: {error}") from error
    found, at = {}, 0
    for name, kind in COLUMNS.items():
        found[name] = np.frombuffer(columns, kind, kept.count, at)
        at += found[name].nbytes
    return ReportBatch(**found, tracks=kept.tracks, feeds=kept.feeds, parties=kept.parties, categories=kept.categories)
