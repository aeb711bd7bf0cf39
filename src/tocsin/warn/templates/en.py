"""English."""

from __future__ import annotations

from tocsin.agreement.notices.words import Receipt
from tocsin.warn.states import Purpose
from tocsin.warn.templates.phrases import Phrases
from tocsin.watch.event import EventKind

ENGLISH = Phrases(
    language="en",
    right_to_left=False,
    heads={
        Purpose.WARNING: "Warning",
        Purpose.CALL: "Call",
        Purpose.STAND_DOWN: "Stand-down",
        Purpose.CORRECTION: "Correction",
    },
    plain={
        Purpose.WARNING: "This is a warning under the agreement named below.",
        Purpose.CALL: "You are called because the ladder is at its end. What happens now is for people to decide.",
        Purpose.STAND_DOWN: "The matter below is over.",
        Purpose.CORRECTION: "An earlier warning was an error: later reports show that this did not happen as told.",
    },
    withheld="(The agreed words are withheld: they went beyond warning. The facts:)",
    what={
        EventKind.FIRST_SEEN_INSIDE: "first seen inside zone {zone}",
        EventKind.ENTRY: "went into zone {zone}",
        EventKind.EXIT: "left zone {zone}",
        EventKind.CROSSING: "crossed zone {zone} between two reports",
        EventKind.APPROACH: "going on as it goes, it enters zone {zone}",
        EventKind.APPROACH_ENDED: "no longer on its way into zone {zone}",
        EventKind.LOITER: "slow inside zone {zone}",
        EventKind.STOPPED: "stationary inside zone {zone}",
        EventKind.PROBING: "went up to zone {zone} and back repeatedly",
        EventKind.GAP: "no report, last at zone {zone}",
        EventKind.GAP_ENDED: "reports again, at zone {zone}",
        EventKind.PROXIMITY: "close to a track of another party, at zone {zone}",
        EventKind.BUILDUP: "one of several tracks gathered at zone {zone}",
        EventKind.ZONE_BEGAN: "zone {zone} came into force around it",
        EventKind.ZONE_ENDED: "zone {zone} ended around it",
        EventKind.ZONE_CHANGED: "zone {zone} was drawn anew, over it or away from it",
        EventKind.DWELL: "inside zone {zone} for the agreed time",
        EventKind.VOID: "left zone {zone}, which now holds fewer than agreed",
    },
    labels={
        "what": "What",
        "who": "Who",
        "when": "When",
        "where": "Where",
        "agreement": "Agreement",
        "case": "Case",
        "last_seen": "Last seen",
        "time_to_entry_s": "Enters in",
        "distance_m": "Distance to the edge",
        "speed_mps": "Speed",
        "dwell_s": "For",
        "gap_s": "Silent for",
    },
    agreement="{id}, version {version}",
    case="{code}, level {level}",
    within="within",
    compass=("N", "S", "E", "W"),
    no_answer_needed="No answer is needed.",
    answer_on="To answer: say on {channel} that you received this, quoting {code}. It means nothing more.",
    answer_on_other="No answer can be given here. {channels} reaches {whom}: say there that this was received, "
    "quoting {code}.",
    no_answer="No answer can be given to this.",
    you="you",
    either=" or ",
    mover="the one who moves",
    pass_on="You are asked to pass this on to {whom} and to say when you have."
    " That you received it does not mean that they did.",
    link="To confirm receipt, open {url} and press the button there. It means nothing more.",
    overdue="Notice {notice}: a receipt is overdue",
    owed={
        Receipt.RECEIVED: "Nobody has said that it was received; this was due by {due}.",
        Receipt.PASSED_ON: "Nobody has said that it was passed on to {unit}; this was due by {due}.",
        Receipt.READ: "Nobody has said that {unit} has read it; this was due by {due}.",
    },
    this_is="this is {station}",
    said_again="I say again",
    digits=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    decimal="decimal",
)
