"""Shedding: the oldest positions of each track go first, no more than asked, and every line is accounted for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyais.encode import encode_dict
from tests.tracks.test_live import AT_US, PLANE, SHIP, TYPED

from tocsin.tracks.feeds import inbox as inbox_module
from tocsin.tracks.feeds.inbox import Inbox
from tocsin.tracks.formats.live import LiveReader
from tocsin.tracks.formats.peek import track_key
from tocsin.tracks.shedding import kept_of

KEYS = st.lists(st.sampled_from("abc") | st.none(), max_size=30)


def naive_kept(keys: list[str | None], most: int, starved: dict[str, int]) -> list[int]:
    """Give up one record after the other: the one that is worth least of those that are left."""
    left = list(range(len(keys)))
    while len(left) > most:

        def worth(place: int) -> tuple[int, int, int]:
            key = keys[place]
            newer = sum(keys[other] == key for other in range(place + 1, len(keys)))
            return (1, 0, place) if key is None else (-newer, starved.get(key, 0), place)

        left.remove(min(left, key=worth))
    return left


@given(keys=KEYS, most=st.integers(0, 30), starved=st.dictionaries(st.sampled_from("abc"), st.integers(1, 3)))
def test_what_stays_is_what_the_slow_twin_leaves(keys: list[str | None], most: int, starved: dict[str, int]) -> None:
    assert kept_of(keys, most, starved=starved) == naive_kept(keys, most, starved)


@given(keys=KEYS, most=st.integers(0, 30))
def test_a_track_loses_its_oldest_positions_and_none_two_more_than_another(keys: list[str | None], most: int) -> None:
    kept = kept_of(keys, most)
    assert len(kept) == min(most, len(keys))
    for key in set(keys) - {None}:
        mine = [place for place, other in enumerate(keys) if other == key]
        stay = [place for place in kept if keys[place] == key]
        assert stay == mine[len(mine) - len(stay) :]
    stays, all_of = Counter(keys[place] for place in kept), Counter(keys)
    cut = [stays[key] for key in all_of if key is not None and stays[key] < all_of[key]]
    assert all(most_of <= min(cut) + 1 for key, most_of in stays.items() if key is not None and cut)


def test_all_are_seen_in_turn() -> None:
    keys, starved, served = [f"t{n}" for n in range(30)], Counter[str](), Counter[str]()
    for _ in range(9):
        kept = [keys[place] for place in kept_of(keys, 10, starved=starved)]
        served.update(kept)
        starved.update(set(keys) - set(kept))
        starved = Counter({key: times for key, times in starved.items() if key not in kept})
    assert set(served.values()) == {3}


@given(
    one=st.integers(200_000_000, 799_999_999),
    other=st.integers(200_000_000, 799_999_999),
    kind=st.sampled_from([1, 3, 9, 18, 27]),
    repeat=st.integers(0, 3),
)
def test_a_glance_at_ais_tells_ships_apart(one: int, other: int, kind: int, repeat: int) -> None:
    def line(mmsi: int, lat: float, again: int) -> bytes:
        said = {"msg_type": kind, "repeat": again, "mmsi": mmsi, "lat": lat, "lon": 38.6, "speed": 1.0, "course": 9.0}
        return encode_dict(said, talker_id="AI")[0].encode()

    assert track_key(line(one, 33.5, 0)) == track_key(line(one, 33.6, repeat)) is not None
    assert (track_key(line(one, 33.5, 0)) == track_key(line(other, 33.5, 0))) == (one == other)


def test_two_connections_of_a_feed_share_who_was_given_up() -> None:
    inbox = Inbox(feed="f", lateness_us=0)
    one, other = (inbox.open(LiveReader(feed="f")) for _ in range(2))
    line = b'{"track_id":"dev:%d","observed":"2026-11-27T10:00:00Z","lat_deg":33.5,"lon_deg":1}\n'
    one.push(line % 1 + line % 2, AT_US)
    one.shed(1)
    other.push(line % 1 + line % 2, AT_US)
    other.shed(1)
    assert [reader.take().batch.tracks for reader in (one, other)] == [("dev:2",), ("dev:1",)]
    assert not one.starved


def test_what_ended_connections_left_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_UNREAD", 10)
    inbox = Inbox(feed="f", lateness_us=0)
    line = b'{"track_id":"dev:%d","observed":"2026-11-27T10:00:00Z","lat_deg":33.5,"lon_deg":1}\nhello\n'
    for connection in range(8):
        reader = inbox.open(LiveReader(feed="f"))
        for track in range(9):
            reader.push(line % track, AT_US)
            inbox.shed()
        inbox.close(reader)
        assert inbox.waiting <= 10, connection
    taken = inbox._take()
    assert taken is not None and taken.read == 8 * 9 * 2 and taken.shed > 0


def test_a_glance_sees_each_format_and_nothing_else() -> None:
    assert track_key(PLANE) == b"4ca4e5"
    assert track_key(b"MSG,4,1,1,4CA4E5,1,,,,,,,9.0,90.0,,,0,,,,,") is None
    assert track_key(b"?id=truck%207&lat=1&lon=2") == b"truck%207"
    assert track_key(b"\\s:r1*00\\" + SHIP) == track_key(SHIP)
    assert [track_key(text) for text in (b"hello", b"{}", b"", TYPED[:20])] == [None] * 4


@given(n=st.integers(1, 40), most=st.integers(0, 40), taken=st.integers(0, 50))
def test_every_line_is_read_or_counted_as_given_up(n: int, most: int, taken: int) -> None:
    def line(k: int) -> bytes:
        return b'{"track_id":"dev:%d","observed":"2026-11-27T10:00:%02dZ","lat_deg":33.5,"lon_deg":%d}' % (k % 3, k, k)

    reader = LiveReader(feed="f")
    reader.push(b"\n".join(map(line, range(n))) + b"\nhello\n" + SHIP + b"\n{unfinished", AT_US)
    reader.shed(most)
    first = reader.take(taken)
    rest = reader.take()
    assert first.read + rest.read == n + 2 and first.shed == max(0, n + 2 - most) and rest.shed == 0
    for found in (first, rest):
        assert found.read == len(found.batch) + len(found.rejects) + found.shed
    assert len(first.batch) + len(first.rejects) <= taken
    expected = sorted(range(n), reverse=True)[: max(0, most - 1)]  # the word of no format stays before any position
    seen = [lon for part in (first, rest) for lon in part.batch.lon_deg.tolist() if lon != 38.6]
    ages = [sum(other > k and other % 3 == k % 3 for other in range(n)) for k in map(int, seen)]
    assert len(seen) <= len(expected) and max(ages, default=0) <= len(expected) // 3 + 1
