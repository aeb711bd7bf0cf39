"""Recent: the reports that a station took lately, for whoever rehearses a draft on them while it runs.

Reads the station's store and its hour files over connections that can only read, beside the station or without it; the
station is not asked, holds nothing up and hears nothing of it. What may be told of them is the rehearsal's matter.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tocsin.clock import US_PER_S
from tocsin.errors import StoreError
from tocsin.station.core.state import OTHER_FEED
from tocsin.station.past.journal import Ahead, reports_of
from tocsin.store.connect import as_store_error, sqlite_url
from tocsin.store.reading import StoreReader
from tocsin.tracks.batch import ReportBatch

STORE = "station.db"
"""A station's own store, inside its data folder."""


def open_reader(folder: Path, store_url: str | None = None) -> StoreReader:
    """Return a reader of a station's store, of this program's version.

    Raises
    ------
    StoreError
        If there is none.
    """
    if store_url is None and not (folder / STORE).exists():
        raise StoreError(f"{folder}: found no {STORE}, expected the data folder of a station")
    store = StoreReader(store_url or sqlite_url(folder / STORE))
    try:
        store.check_version()
    except BaseException:
        store.close()
        raise
    return store


def recent_reports(folder: Path, *, within_s: float, store_url: str | None = None) -> ReportBatch:
    """Return what a station took, observed within a time before its last tick, in the order of its arrival.

    Parameters
    ----------
    folder : Path
        The station's data folder.
    within_s : float
        Seconds.
    store_url : str or None
        As the station was given it; None: the file in the folder.

    Raises
    ------
    StoreError
        If there is no station's store, or they are too many to be read at a time.
    """
    store = open_reader(folder, store_url)
    try:
        last_tick, now_us = store.last_tick()
        return reports_of(
            store,
            folder,
            tracks=None,
            from_us=now_us - round(within_s * US_PER_S),
            before_us=2**62,
            last_tick=last_tick,
            ahead=Ahead(by_feed={}, other_us=OTHER_FEED.ahead_us),
        )
    except DBAPIError as error:
        raise as_store_error(error) from error
    finally:
        store.close()
