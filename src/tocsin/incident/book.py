"""Book: the claims of one file, with the sources that made them and the incidents that persons put them under.

An incident is a basket: it has no truth value of its own and no time or place but what its claims say.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.incident.act import Act
from tocsin.incident.claim import Claim, Source
from tocsin.incident.names import Names


class SensorCount(Struct, frozen=True, kw_only=True):
    """What a person declares that the number of tracks of an act may be compared with.

    Attributes
    ----------
    act : Act
    of, unit : str
        As in the quantities of the claims it may be compared with.
    about : str or None
    """

    act: Act
    of: str
    unit: str
    about: str | None = None


class SensorScope(Struct, frozen=True, kw_only=True):
    """Which events of the watch are the sensors' own account of an incident.

    Attributes
    ----------
    zones : frozenset of str
    from_us, to_us : int or None
        Half-open, microseconds UTC; None where not limited.
    parties : frozenset of str or None
        Only tracks of these declared parties; None for all.
    categories : frozenset of str or None
        Only these kinds of mover, as declared; None for all.
    counts : tuple of SensorCount
    """

    zones: frozenset[str]
    from_us: int | None = None
    to_us: int | None = None
    parties: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    counts: tuple[SensorCount, ...] = ()


class Incident(Struct, frozen=True, kw_only=True):
    """A basket of claims that a person put together.

    Attributes
    ----------
    incident_id, title : str
    is_simulated : bool
        True for an exercise: nothing in it happened.
    note : str or None
    sensors : SensorScope or None
        None keeps the sensors out of it.
    """

    incident_id: str
    title: str
    is_simulated: bool = False
    note: str | None = None
    sensors: SensorScope | None = None


class ClaimBook(Struct, frozen=True, kw_only=True):
    """What one file of claims holds, in its order.

    Attributes
    ----------
    incidents : tuple of Incident
    sources : tuple of Source
    names : Names
    claims : tuple of Claim
    """

    incidents: tuple[Incident, ...]
    sources: tuple[Source, ...]
    names: Names
    claims: tuple[Claim, ...]
