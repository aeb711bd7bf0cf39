"""A chain of events: what the watches of several versions of an agreement found, in the one order of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from tocsin.watch.event import EVENT_SCHEMA, Event
from tocsin.watch.found import EventBatch


class EventChain:
    """The events of several batches, each of its own watch.

    Parameters
    ----------
    batches : sequence of EventBatch
        One or more. Their events differ in their version, so none stands in two of them.
    """

    def __init__(self, batches: Sequence[EventBatch]) -> None:
        self.batches = tuple(batches)

    def __len__(self) -> int:
        return sum(len(batch) for batch in self.batches)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    @cached_property
    def events(self) -> list[Event]:
        """The events one by one, in the one order of events (`Event.order`)."""
        return sorted((event for batch in self.batches for event in batch.events), key=lambda event: event.order)

    def table(self) -> pa.Table:
        """Return the events as a table of `EVENT_SCHEMA`, in the same order."""
        return self.coded().cast(EVENT_SCHEMA)

    def coded(self) -> pa.Table:
        """Return the events as a table of `CODED_EVENT_SCHEMA`, in the same order."""
        whole = pa.concat_tables([batch.coded() for batch in self.batches]).unify_dictionaries()
        if len(self.batches) == 1:
            return whole
        keys = [(event.order, n) for n, event in enumerate(e for batch in self.batches for e in batch.events)]
        return whole.take(pa.array(np.array([n for _, n in sorted(keys)], np.int64)))
