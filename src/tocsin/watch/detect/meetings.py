"""What is remembered of many tracks together: undecided ways, lasting contacts, gatherings already told, thin zones.

Arrays only, so that a snapshot is their bytes. It is empty, and costs nothing, where no rule asks for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.kernels.detect.meetings import CONTACT
from tocsin.kernels.tables import LEG

TOLD = np.dtype([("rule", "i4"), ("track", "i4")], align=True)
"""A track in the middle of a gathering that has been told; NONE for the zone as a whole."""


THIN = np.dtype(
    [
        ("since_us", "i8"),
        ("lat_deg", "f8"),  # where the track that left was last inside, and what its report said
        ("lon_deg", "f8"),
        ("accuracy_m", "f4"),
        ("rule", "i4"),
        ("track", "i4"),
        ("feed", "i4"),
        ("party", "i4"),
        ("category", "i4"),
    ],
    align=True,
)
"""A zone that holds fewer than agreed since a track left it, and of which nobody has told yet."""


class Meetings(Struct, kw_only=True):
    """The memory of the detectors that look at many tracks.

    Attributes
    ----------
    legs : ndarray of LEG
        Ways near a watched zone of which some beat is not decided yet.
    contacts : ndarray of CONTACT
        Ordered by rule, then by the two tracks.
    told : ndarray of TOLD
        Ordered by rule and track.
    thin : ndarray of THIN
        Ordered by rule; one row a rule at most.
    decided_us : int or None
        Everything before this is decided; a multiple of a beat.
    """

    legs: NDArray[Any] = field(default_factory=lambda: np.empty(0, LEG))
    contacts: NDArray[Any] = field(default_factory=lambda: np.empty(0, CONTACT))
    told: NDArray[Any] = field(default_factory=lambda: np.empty(0, TOLD))
    thin: NDArray[Any] = field(default_factory=lambda: np.empty(0, THIN))
    decided_us: int | None = None

    def copy(self) -> Meetings:
        """Return a second memory; arrays here are replaced and never written, so neither sees the other's doings."""
        return replace(self)
