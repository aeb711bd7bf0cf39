"""Warm-up: every kernel compiled, or loaded, before the station's time counts.

The first call of a kernel takes seconds, and minutes where nothing of it is kept (`kernels/kept.py`); a report must not
wait for that. A tick of a station that nobody keeps calls them all.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.station.core.inputs import Inputs, of_deliveries
from tocsin.station.core.state import begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.feeds.feed import Delivery

_NOBODY = np.zeros(3, np.int32)
_NOTHING = np.full(3, np.nan, np.float32)

WARM_REPORTS = ReportBatch(
    track=np.array([0, 0, 1], np.int32),
    observed_us=np.array([0, 10, 10], np.int64),
    received_us=np.array([0, 10, 10], np.int64),
    lat_deg=np.array([0.0, 0.001, 0.0]),
    lon_deg=np.zeros(3),
    alt_m=_NOTHING,
    speed_mps=_NOTHING,
    course_deg=_NOTHING,
    heading_deg=_NOTHING,
    accuracy_m=_NOTHING,
    feed=_NOBODY,
    party=_NOBODY,
    category=_NOBODY,
    tracks=("dev:warm-1", "dev:warm-2"),
    feeds=("warm",),
    parties=("warm",),
    categories=("vehicle",),
)
"""Three reports of two tracks that nobody ever was."""


def warm_up(terms: Terms) -> None:
    """Watch a few reports of nobody under these terms, and forget them."""
    apart = replace(terms, engine=copy(terms.engine))  # the zones are the same; its windows are laid out elsewhere
    state, _ = tick(begin(apart), Inputs(agreement=apart.written), 0, terms=apart)
    delivery = Delivery(feed="warm", batch=WARM_REPORTS, rejects=(), read=len(WARM_REPORTS), position=None)
    batch, delivered = of_deliveries([delivery])
    state, _ = tick(state, Inputs(batch=batch, delivered=delivered), US_PER_S)
    tick(state, Inputs(), 3_600 * US_PER_S)
