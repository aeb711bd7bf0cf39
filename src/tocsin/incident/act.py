"""Act: what a claim says was done. The one list of types, with the codes other systems use for them.

Each act maps to a PLOVER category and mode and to an ACLED sub-event type where one exists, so that claims can be
exported. The list says nothing about who did it, whether it happened or whether it was lawful.

References
----------
PLOVER manual 0.8 (OEDA); ACLED codebook, sub-event types.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Act(StrEnum):
    """What a claim says was done, said or found."""

    AIR_STRIKE = "air_strike"
    DRONE_STRIKE = "drone_strike"
    SHELLING = "shelling"
    GUNFIRE = "gunfire"
    ATTACK = "attack"
    CLASH = "clash"
    SHOOT_DOWN = "shoot_down"
    COLLISION = "collision"
    RAMMING = "ramming"
    CASUALTIES = "casualties"
    DAMAGE = "damage"
    APPROACH = "approach"
    ENTRY = "entry"
    LOITER = "loiter"
    BUILD_UP = "build_up"
    DEPLOYMENT = "deployment"
    OVERFLIGHT = "overflight"
    ANCHORING = "anchoring"
    INTERCEPTION = "interception"
    WARNING = "warning"
    NON_RESPONSE = "non_response"
    RESPONSE = "response"
    NOTIFICATION = "notification"
    SIGNAL_LOSS = "signal_loss"
    DETECTION = "detection"
    OBSTRUCTION = "obstruction"
    DETENTION = "detention"
    RELEASE = "release"
    AID_DELIVERY = "aid_delivery"
    CAPTURE = "capture"
    WITHDRAWAL = "withdrawal"
    CONTROL = "control"
    TRAINING = "training"
    SUPPORT = "support"
    AGREEMENT = "agreement"
    INTENT = "intent"
    ACCUSATION = "accusation"
    DENIAL = "denial"
    OBJECTION = "objection"
    CONDEMNATION = "condemnation"
    ADMISSION = "admission"
    FINDING = "finding"
    NO_COMMENT = "no_comment"
    UNKNOWN_ATTRIBUTION = "unknown_attribution"
    UNVERIFIED = "unverified"
    CORRECTION = "correction"
    BACKGROUND = "background"


class ActCode(Struct, frozen=True):
    """What an act means here and how other systems code it.

    Attributes
    ----------
    gloss : str
        In plain words.
    plover : str or None
        Category; in brackets where PLOVER has no category but files the matter there.
    mode : str or None
        PLOVER mode.
    acled : str or None
        Sub-event type.
    """

    gloss: str
    plover: str | None = None
    mode: str | None = None
    acled: str | None = None


ACT_CODES: dict[Act, ActCode] = {
    Act.AIR_STRIKE: ActCode("weapon delivered from a crewed aircraft", "ASSAULT", "aerial", "Air/drone strike"),
    Act.DRONE_STRIKE: ActCode("weapon delivered from an uncrewed aircraft", "ASSAULT", "drone", "Air/drone strike"),
    Act.SHELLING: ActCode("indirect fire", "ASSAULT", "heavy-weapons", "Shelling/artillery/missile attack"),
    Act.GUNFIRE: ActCode("small arms or cannon fire, warning fire included", "ASSAULT", "firearms", "Armed clash"),
    Act.ATTACK: ActCode("attack, means not stated", "ASSAULT", None, "Attack"),
    Act.CLASH: ActCode("two-sided fighting, continuing campaigns included", "ASSAULT", None, "Armed clash"),
    Act.SHOOT_DOWN: ActCode("aircraft or drone brought down by fire", "ASSAULT", "aerial", "Disrupted weapons use"),
    Act.COLLISION: ActCode("contact between craft, cause not asserted"),
    Act.RAMMING: ActCode("contact said to be deliberate", "ASSAULT"),
    Act.CASUALTIES: ActCode("killed, injured or missing", "(effect)"),
    Act.DAMAGE: ActCode("objects damaged or destroyed", "(effect)", None, "Looting/property destruction"),
    Act.APPROACH: ActCode("movement towards a site, zone or party", "MOBILIZE", "troops"),
    Act.ENTRY: ActCode("crossing into a zone, line or restricted area", "MOBILIZE"),
    Act.LOITER: ActCode("stay or slow over or near a protected thing", "MOBILIZE"),
    Act.BUILD_UP: ActCode("works, fortification or massing", "MOBILIZE", "troops", "Headquarters or base established"),
    Act.DEPLOYMENT: ActCode("presence or stationing of forces or craft", "MOBILIZE", "troops"),
    Act.OVERFLIGHT: ActCode("flight near or over, no weapon released", "MOBILIZE", "weapons"),
    Act.ANCHORING: ActCode("a vessel anchors, drops or drags an anchor"),
    Act.INTERCEPTION: ActCode("escort, forced landing, boarding or stop by the side that guards", "COERCE"),
    Act.WARNING: ActCode("a warning or hail given", "THREATEN"),
    Act.NON_RESPONSE: ActCode("no reply to, or disregard of, a warning or hail", "REJECT"),
    Act.RESPONSE: ActCode("a hail or notice answered or acknowledged", "AGREE"),
    Act.NOTIFICATION: ActCode("a notice of movement, flight, closure or correction passed", "CONSULT"),
    Act.SIGNAL_LOSS: ActCode("track, transponder or contact lost or switched off"),
    Act.DETECTION: ActCode("a sensor or observer recorded something"),
    Act.OBSTRUCTION: ActCode("access, passage or inspection refused or held up", "COERCE"),
    Act.DETENTION: ActCode("person or vessel held", "COERCE", None, "Arrests"),
    Act.RELEASE: ActCode("person, vehicle or vessel let go", "RETREAT"),
    Act.AID_DELIVERY: ActCode("relief reached or did not reach people", "AID"),
    Act.CAPTURE: ActCode("place changes hands by force", "ASSAULT", None, "Non-state actor overtakes territory"),
    Act.WITHDRAWAL: ActCode("forces leave a place", "RETREAT", None, "Non-violent transfer of territory"),
    Act.CONTROL: ActCode("who holds a place", "(state)"),
    Act.TRAINING: ActCode("forces train or advise others", "AID"),
    Act.SUPPORT: ActCode("backing, arming, funding, answering to", "AID"),
    Act.AGREEMENT: ActCode("an agreement, its terms or its state", "AGREE", None, "Agreement"),
    Act.INTENT: ActCode("declared intention, plan or expected act", "THREATEN"),
    Act.ACCUSATION: ActCode("blames a party", "ACCUSE"),
    Act.DENIAL: ActCode("denies an allegation or fact", "REJECT"),
    Act.OBJECTION: ActCode("objects to or rejects a measure", "REJECT"),
    Act.CONDEMNATION: ActCode("legal or moral characterisation", "ACCUSE", "disapprove"),
    Act.ADMISSION: ActCode("concedes an error or an act", "CONCEDE"),
    Act.FINDING: ActCode("result of an inquiry, vote or inspection", "(INVESTIGATE)"),
    Act.NO_COMMENT: ActCode("a party gave no statement"),
    Act.UNKNOWN_ATTRIBUTION: ActCode("the source says who or what is not known"),
    Act.UNVERIFIED: ActCode("the source says a thing could not be checked"),
    Act.CORRECTION: ActCode("a text withdraws or changes an earlier statement"),
    Act.BACKGROUND: ActCode("standing fact used as description"),
}
"""Every act's meaning and codes."""
