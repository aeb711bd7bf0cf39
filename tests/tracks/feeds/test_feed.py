"""The seam: URLs read or refused in full, deliveries that add up, and pushes answered only when durable."""

from __future__ import annotations

import asyncio

import pytest

from tocsin.errors import RefusedError, SettingError
from tocsin.tracks.batch import EMPTY
from tocsin.tracks.feeds.feed import FACT_MEANING, Delivery, FactKind, open_feed
from tocsin.tracks.feeds.push import PushFeed


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("carrier-pigeon://loft", "scheme"),
        ("loft", "no scheme"),
        ("push:trucks?colour=red", "colour"),
        ("push:trucks?lateness=60", "lateness='60'"),
        ("push:trucks?lateness=60s&lateness=1s", "twice"),
        ("push:trucks?name=../../etc", "name="),
        ("push:", "no name"),
        ("push:trucks#lateness=1s", "fragment"),
        ("tcp://user:hunter2@host:1", "user or password"),
        ("tcp://host:70000", "ort"),
        ("push:la\ndle", "characters"),
        ("push:" + "a" * 3_000, "characters"),
    ],
)
def test_urls_are_refused_for_whatever_is_not_used(url: str, found: str) -> None:
    with pytest.raises(SettingError, match=found) as refused:
        open_feed(url)
    assert "hunter2" not in str(refused.value)


def test_policy_is_as_stated() -> None:
    feed = open_feed("push:trucks?lateness=1.5min&hold=PT2M&party=north")
    assert (feed.name, feed.policy.lateness_us, feed.policy.hold_us) == ("trucks", 90_000_000, 120_000_000)


def test_delivery_that_loses_a_record_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="read 1 records but accounted for 0"):
        Delivery(feed="x", batch=EMPTY, rejects=(), read=1, position=None)


def test_push_returns_only_when_durable_and_is_refused_before_and_after() -> None:
    feed = open_feed("push:trucks")
    assert isinstance(feed, PushFeed)
    nothing = Delivery(feed="trucks", batch=EMPTY, rejects=(), read=0, position=None)

    async def story() -> None:
        with pytest.raises(RefusedError):
            await feed.push(nothing)
        durable = asyncio.Event()
        taken: list[Delivery] = []

        async def deliver(delivery: Delivery) -> None:
            taken.append(delivery)
            await durable.wait()

        running = asyncio.create_task(feed.run(deliver, resume=None))
        await asyncio.sleep(0)
        pushing = asyncio.create_task(feed.push(nothing))
        await asyncio.sleep(0)
        assert taken == [nothing]
        assert not pushing.done()
        durable.set()
        await pushing
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(RefusedError):
            await feed.push(nothing)

    asyncio.run(story())


def test_every_fact_has_its_meaning() -> None:
    assert set(FACT_MEANING) == set(FactKind)
