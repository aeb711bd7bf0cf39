"""The words of notices: acts, flags, receipts, dispositions, facts. Each list exists once; a test reads every word.

No list holds a word for consent to a movement: a notice that was received, passed on and read is a notice that was
read (SEMANTICS: a notification is no request; what reads it gives no leave by reading it).
"""

from __future__ import annotations

from enum import StrEnum

from tocsin.errors import TocsinError


class NoticeError(TocsinError):
    """A table of notices lists no transition for this state and input; nothing was changed."""


class RuleName(StrEnum):
    """The section of the agreement's `notices` that a notice is given under."""

    MOVEMENT = "movement"
    HUMANITARIAN = "humanitarian"


class NoticeKind(StrEnum):
    """What a notice is about."""

    MOVEMENT = "movement"
    SITE = "site"


class Act(StrEnum):
    """What a submission does. A notice is never edited: a change is a new one that names the one it succeeds."""

    GIVE = "give"
    CHANGE = "change"
    CANCEL = "cancel"
    """What was told will not take place."""
    WITHDRAW = "withdraw"
    """The giver takes the notice back: it is shown to nobody from then on. What was shown before stays recorded."""
    CONFIRM = "confirm"
    """It still holds: the time until it expires begins anew."""


class Flag(StrEnum):
    """What somebody should look at in a notice that was accepted."""

    INCOMPLETE = "incomplete"
    """Content that the agreement asks for is missing."""
    LATE = "late"
    """Given later than the agreement's lead time, and its path for short notice does not reach as far."""
    SHORT_NOTICE = "short_notice"
    """Given later than the lead time, by the agreement's path for short notice."""
    NO_REASON = "no_reason"
    """Short notice without the reason that the agreement asks for."""
    AFTER_START = "after_start"
    """Given after the movement it tells of began."""
    NO_RULE = "no_rule"
    """The agreement sets no such notices: nothing could be checked, and nobody owes a receipt."""
    NO_UNITS = "no_units"
    """The agreement names no units that the notice is passed on to."""
    UNKNOWN_PARTY = "unknown_party"
    """The party is not one of the agreement."""
    NO_TRACK = "no_track"
    """No mover has a track id: the watch cannot tell it from others."""
    NO_WINDOW = "no_window"
    """From or to is missing: the watch cannot tell when it holds."""
    NO_PLACE = "no_place"
    """No route, area or site."""
    FAR_FROM_ZONES = "far_from_zones"
    """Far from every zone of the agreement."""
    TOUCHES_NO_ZONE = "touches_no_zone"
    """Near the agreement's zones, and in none of them."""
    SWAPPED_COORDINATES = "swapped_coordinates"
    """Far from every zone, but near one with latitude and longitude exchanged."""
    SITE_ELSEWHERE = "site_elsewhere"
    """The same site was notified at another place."""
    NEAR_DUPLICATE = "near_duplicate"
    """Another standing notice tells of nearly the same; neither was merged into the other."""
    REFERENCE_AGAIN = "reference_again"
    """Its reference belongs to another notice already, and it does not say that it changes that one."""
    SUCCEEDS_UNKNOWN = "succeeds_unknown"
    """It changes a notice that is not known, or that has ended: kept as a notice of its own."""
    UNVERIFIED = "unverified"
    """Nobody has verified the site where it was said to be."""
    NO_EXPIRY = "no_expiry"
    """Neither the notice nor the agreement says when it ends."""


class Receipt(StrEnum):
    """The three receipts, in order. Each says that words arrived somewhere; the last says where it matters."""

    RECEIVED = "received"
    PASSED_ON = "passed_on"
    READ = "read"


class Disposition(StrEnum):
    """The end of a receipt: what it did. Every receipt gets exactly one and is kept."""

    COUNTED = "counted"
    LATE = "late"
    """It came, after its deadline."""
    DOUBLE = "double"
    """It had come before."""
    NOT_LISTED = "not_listed"
    """From a unit that is not on the agreement's list: noted, and counted for nobody."""
    UNKNOWN_NOTICE = "unknown_notice"
    BEFORE_NOTICE = "before_notice"
    """Dated before the notice was given."""
    AFTER_END = "after_end"
    """The notice had ended; nobody was waiting for it any longer."""


class Checked(StrEnum):
    """How far somebody has verified a site."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    DOUBTED = "doubted"
    """Somebody looked and did not find it so."""


class FactKind(StrEnum):
    """What can happen to notices; the kinds of line of `notices.jsonl` and of the record."""

    NOTICE = "notice"
    """Accepted, with its flags."""
    DUPLICATE = "duplicate"
    """The same content a second time; the first stands."""
    REFUSED = "refused"
    """It could not be used; the reason stands with it."""
    RECEIPT = "receipt"
    OVERDUE = "overdue"
    """A receipt did not come by its deadline."""
    CONSENT = "consent"
    VERIFICATION = "verification"
    STANDING = "standing"
    """The notice was replaced, cancelled, withdrawn or confirmed, expired, or its time has passed."""
    EXPIRES_SOON = "expires_soon"
    """It expires unless the giver confirms it."""


class Answer(StrEnum):
    """Why a notice may be shown to somebody, or not."""

    OWN = "own"
    CONSENT = "consent"
    """Consent for this recipient was recorded before."""
    LISTED = "listed"
    """The agreement itself names the recipient for movement notices, and the giver set no narrower list."""

    NO_CONSENT = "no_consent"
    TAKEN_BACK = "taken_back"
    CONSENT_ENDED = "consent_ended"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNKNOWN_NOTICE = "unknown_notice"


SHOWN = frozenset({Answer.OWN, Answer.CONSENT, Answer.LISTED})
"""The answers with which a notice is shown."""
