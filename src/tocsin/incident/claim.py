"""Claim: what one source says happened, as it said it. Frozen: never edited, only succeeded.

Implements DESIGN §4 (Claim). Three things stay apart: how reliable the source is (A to F, NATO AJP-2.1, set by a
person), how credible the one claim is (1 to 6, likewise), and how certain the words themselves are. Source, speaker
and document are three things too: a claim keeps the chain through which it came. It holds no truth value, merges
nothing and resolves no name; `names.py` and `compare.py` look at claims and leave them as they are.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from tocsin.incident.act import Act
from tocsin.units import METRES, METRES_PER_SECOND, SECONDS


class SourceKind(StrEnum):
    """What sort of source it is. It ranks nothing."""

    STATE = "state"
    PARTY = "party"
    ARMED_FORCE = "armed_force"
    AGENCY = "agency"
    MONITOR = "monitor"
    MEDIA = "media"
    HUMANITARIAN = "humanitarian"
    COMPANY = "company"
    PERSON = "person"
    UNNAMED = "unnamed"
    SYSTEM = "system"


class Reliability(StrEnum):
    """How reliable a source is, by a person's judgement (NATO AJP-2.1); F where nobody has judged."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


class Polarity(StrEnum):
    """Whether the source says that it was so, or that it was not."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class Certainty(StrEnum):
    """How certain the words are. The reporting verb does not lower it; the source's grade does."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


class Attribution(StrEnum):
    """How the text ties the words to their source (PARC and PolNeAR terms, and two for gaps)."""

    DIRECT = "direct"
    INDIRECT = "indirect"
    MIXED = "mixed"
    HEADLINE = "headline"
    NARRATOR = "narrator"
    UNATTRIBUTED = "unattributed"


class Role(StrEnum):
    """How the source ties an actor to the act (MUC-4's confidence slot)."""

    REPORTED = "reported"
    CLAIMED = "claimed"
    ADMITTED = "admitted"
    SUSPECTED = "suspected"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Handing(StrEnum):
    """How one hand of a chain passed a claim on."""

    SAYS = "says"
    QUOTES = "quotes"
    CITES = "cites"
    COPIES = "copies"
    SHOWS = "shows"


class TimeBasis(StrEnum):
    """Where the resolved time of a claim comes from."""

    EXPLICIT = "explicit"
    PUBLICATION_DATE = "publication_date"
    CARRIED = "carried"
    NONE = "none"


class Source(Struct, frozen=True, kw_only=True):
    """Somebody, or something, that says things.

    Attributes
    ----------
    source_id, name : str
    kind : SourceKind
    reliability : Reliability
        F until a person has graded it.
    ref : str or None
        The document, as a person would look for it.
    parent : str or None
        The source that this one speaks within; both are then one root.
    """

    source_id: str
    name: str
    kind: SourceKind
    reliability: Reliability = Reliability.F
    ref: str | None = None
    parent: str | None = None


class Hand(Struct, frozen=True, kw_only=True):
    """One hand that a claim passed through on its way here."""

    source_id: str
    how: Handing


class Mention(Struct, frozen=True, kw_only=True):
    """An actor as worded.

    Attributes
    ----------
    as_worded : str
        The source's own words; never replaced by the name the system knows.
    role : Role
        UNKNOWN where the source says that it is not known who.
    actor_id : str or None
        The actor a person said is meant; None leaves it to the alias groups.
    """

    as_worded: str
    role: Role = Role.REPORTED
    actor_id: str | None = None


class ClaimedPlace(Struct, frozen=True, kw_only=True):
    """A place as worded, with coordinates only where a person gave them.

    Attributes
    ----------
    as_worded : str
    refers_to : str or None
        A zone or site of the agreement.
    lat_deg, lon_deg : float or None
    radius_m : float or None
        How precise the place is: the true one lies within this of the coordinates.
    """

    as_worded: str
    refers_to: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    radius_m: float | None = None


class ClaimedTime(Struct, frozen=True, kw_only=True):
    """A time as worded, and as EDTF (ISO 8601-2) where it could be resolved."""

    as_worded: str
    edtf: str | None = None
    basis: TimeBasis = TimeBasis.NONE


class Quantity(Struct, frozen=True, kw_only=True):
    """A number as worded, as a closed range.

    Attributes
    ----------
    as_worded : str
    low, high : float or None
        None where the words leave that end open ("at least 55" has no high).
    unit : str
        A unit of `tocsin.units`, or the thing counted ("vehicles").
    of : str
        What is measured or counted. Only quantities of the same thing are compared.
    is_approximate : bool
        The words say "about".
    """

    as_worded: str
    low: float | None
    high: float | None
    unit: str
    of: str
    is_approximate: bool = False

    def as_range(self) -> tuple[str, float, float]:
        """Return the dimension and the range in its SI unit, infinite where an end is open.

        Examples
        --------
        >>> Quantity(as_worded="27 km", low=27, high=27, unit="km", of="distance from the garrison").as_range()
        ('m', 27000.0, 27000.0)
        """
        dimension, factor = self.unit, 1.0
        for name, factors in (("m", METRES), ("s", SECONDS), ("m/s", METRES_PER_SECOND)):
            if self.unit in factors:
                dimension, factor = name, factors[self.unit]
        low = -float("inf") if self.low is None else self.low * factor
        high = float("inf") if self.high is None else self.high * factor
        return dimension, low, high


class Claim(Struct, frozen=True, kw_only=True):
    """One proposition by one source.

    Attributes
    ----------
    claim_id, incident_id, source_id : str
    words : str
        What the source said.
    is_verbatim : bool
        True if `words` are the source's own, letter for letter; False for a paraphrase.
    attribution : Attribution
    act : Act
    about : str or None
        The one happening within the incident that it is about; None if the act alone says so.
    actors, targets : tuple of Mention
    place : ClaimedPlace or None
    time : ClaimedTime or None
    quantities : tuple of Quantity
    polarity : Polarity
    certainty : Certainty
    certainty_cue : str or None
        The words that show it.
    via : tuple of Hand
        Through whom it came, outermost first; empty if from the source itself.
    credibility : int
        1 to 6 by a person's judgement (NATO AJP-2.1); 6, cannot be judged, until then.
    supersedes : str or None
        The source's own earlier claim that this one takes the place of.
    published : str or None
        When it was said, as EDTF.
    note : str or None
        By the person who entered it.
    """

    claim_id: str
    incident_id: str
    source_id: str
    words: str
    is_verbatim: bool
    attribution: Attribution
    act: Act
    about: str | None = None
    actors: tuple[Mention, ...] = ()
    targets: tuple[Mention, ...] = ()
    place: ClaimedPlace | None = None
    time: ClaimedTime | None = None
    quantities: tuple[Quantity, ...] = ()
    polarity: Polarity = Polarity.POSITIVE
    certainty: Certainty = Certainty.CERTAIN
    certainty_cue: str | None = None
    via: tuple[Hand, ...] = ()
    credibility: int = 6
    supersedes: str | None = None
    published: str | None = None
    note: str | None = None

    @property
    def subject(self) -> str:
        """What it is about: claims of one incident are compared only if this is equal."""
        return self.about if self.about is not None else str(self.act)

    def as_json(self) -> dict[str, Any]:
        """Return the claim as a JSON object; what is missing is absent."""
        bare: dict[str, Any] = _bare(self)
        return bare


def _bare(value: Any) -> Any:
    if isinstance(value, Struct):
        pairs = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _bare(v) for name, v in pairs if v is not None and v != ()}
    if isinstance(value, tuple):
        return [_bare(v) for v in value]
    return str(value) if isinstance(value, StrEnum) else value
