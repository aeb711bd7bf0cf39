"""Event ids of many rows at once: the same that `event.event_id` makes of one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.ids import ID_BYTES, text_key
from tocsin.kernels.numbers.sha256 import LANES, WORK_ROWS, hash_texts
from tocsin.kernels.tables import NONE
from tocsin.watch.event import KIND_KEYS, EventKind

MANY = 1_000
"""Rows from which on it is dearer to ask hashlib for each than to load a kernel that hashes them in step."""

_ID = np.dtype((np.void, ID_BYTES))
_HEAD_BYTES = 32 + 2 * ID_BYTES
_HASHED = np.dtype([("head", (np.void, _HEAD_BYTES)), ("track", _ID), ("kind", _ID), ("visit", ">i8")])
"""What the id of an event that one track raised is the hash of (`event.event_id`); the head is the same for a rule."""


def event_ids(
    rows: NDArray[Any], watchlist: Watchlist, tracks: Sequence[str], kinds: Sequence[EventKind]
) -> NDArray[np.void]:
    """Return the 16 bytes that `event.event_id` prints, for each row.

    Parameters
    ----------
    rows : ndarray of `tables.FOUND`
    watchlist : Watchlist
        The one that raised them.
    tracks, kinds : sequence
        By the codes of the rows.
    """
    rules, rule_at = met(rows["rule"], len(watchlist.rules))
    heads = [
        watchlist.digest + text_key(rule.rule_id) + text_key(watchlist.zones[rule.zone].zone_id)
        for rule in map(watchlist.rules.__getitem__, rules.tolist())
    ]
    seen, track_at = met(rows["track"], len(tracks))
    told = np.empty(len(rows), _HASHED)
    told["head"] = np.array(heads, _HASHED["head"])[rule_at]
    told["track"] = np.array([text_key(tracks[track]) for track in seen.tolist()], _ID)[track_at]
    told["kind"] = np.array([KIND_KEYS[kind] for kind in kinds], _ID)[rows["code"]]
    told["visit"] = rows["visit_us"]
    ids = _hashed(told) if len(told) < MANY else hash_many(told)
    for row in np.flatnonzero(rows["other"] != NONE).tolist():
        text, other = told[row].tobytes(), text_key(tracks[rows["other"][row]])
        who = b"".join(sorted((text[_HEAD_BYTES : _HEAD_BYTES + ID_BYTES], other)))
        ids[row] = hashlib.sha256(text[:_HEAD_BYTES] + who + text[_HEAD_BYTES + ID_BYTES :]).digest()[:ID_BYTES]
    return ids


def met(codes: NDArray[np.int32], many: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return which of so many codes there are, ascending, and the place of each row's among them."""
    if len(codes) < MANY:
        return np.unique(codes, return_inverse=True)
    is_met = np.zeros(many, np.bool_)
    is_met[codes] = True
    return np.flatnonzero(is_met), (np.cumsum(is_met) - 1)[codes]


def _hashed(texts: NDArray[Any]) -> NDArray[np.void]:
    """Return the first half of the SHA-256 of each text, one by one."""
    sha256, raws = hashlib.sha256, texts.view((np.void, texts.dtype.itemsize)).tolist()
    return np.frombuffer(bytearray().join([sha256(raw).digest()[:ID_BYTES] for raw in raws]), _ID)


def hash_many(texts: NDArray[Any]) -> NDArray[np.void]:
    """Return the first half of the SHA-256 of each text, in step; their length is a multiple of four bytes."""
    words = texts.view(">u4").reshape(len(texts), -1).astype(np.uint32)
    digests = np.empty((len(texts), 8), np.uint32)
    hash_texts(words, np.empty((WORK_ROWS, LANES), np.uint32), digests)
    return digests[:, : ID_BYTES // 4].astype(">u4").view(_ID).ravel()
