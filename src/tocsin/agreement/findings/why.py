"""Why: for each check, why its mechanism matters, in a sentence or two; the same words as its page (docs/findings)."""

from __future__ import annotations

WHY: dict[str, str] = {
    "FMT-01": (
        "A key that nothing reads looks like a rule and is none. A misspelt `uncertianty` leaves the zone without "
        "uncertainty, and its author believes that it has one."
    ),
    "PAR-01": (
        "Two names for one force, or one name for two forces, and every report about it can be read twice. Acts "
        "are put down to names; a name must stand for one party."
    ),
    "PAR-02": (
        "A zone that one side calls agreed and the other has never heard of is no agreement; it is a line that one"
        " side defends."
    ),
    "PAR-03": (
        "An agreement binds those who are in it. Armed people on the ground who are bound by nobody will not be "
        "stopped by a paper that others signed."
    ),
    "PAR-04": (
        "A warning given to a patron reaches a force only if the patron really speaks for it. Where that is "
        "uncertain, the ladder must not rely on it."
    ),
    "PAR-05": (
        '"And associated groups" lets each side decide who may be fought. A closed list, and a way to change it, '
        "does not."
    ),
    "PAR-06": "Where some may bear arms inside a zone, somebody must be able to tell them from those who may not.",
    "PAR-07": (
        "Explicit guarantees lengthen peace (Fortna 2003). A guarantor without duties and deadlines guarantees "
        "nothing that could be asked for."
    ),
    "PAR-08": (
        "Coast guards, militia and fishermen are the usual actors at sea, and road users on land. Rules for armed "
        "forces alone leave out those who are met first."
    ),
    "GEO-01": (
        "A zone that is only a name cannot be kept out of. Nobody can be warned off a line that nobody has drawn."
    ),
    "GEO-02": (
        "Every line has an error. When it is a tenth of the width or more, two honest observers stand on different"
        " sides of it. And a list of numbers without its datum and order can be drawn in two places."
    ),
    "GEO-03": '"15 to 20 km" is 15 km for one side and 20 km for the other.',
    "GEO-04": (
        "What holds on the ground says nothing about the air above or the sea beside. Silence about a domain is "
        "read by each side its own way."
    ),
    "GEO-05": (
        "A drone at 3,000 m is over the zone; whether it is in it depends on a floor, a ceiling, what they are "
        "counted from, and which classes they bind. Counted from mean sea level or the ground, a height needs a "
        "model; without one the watch widens the band and says so."
    ),
    "GEO-06": (
        'A ring is as good as its centre. Nobody can measure 55 km from "the base" unless the base has a surveyed '
        "point; and when the base moves, so does the ring, or not."
    ),
    "GEO-07": (
        "Where two zones overlap, two sets of rules hold at once. A number that says which goes before ends the "
        "quarrel before it begins."
    ),
    "GEO-08": (
        "People live inside zones. Without a rule of access, food and doctors stop at the line, or cross it and "
        "are mistaken."
    ),
    "GEO-09": "Nobody keeps a line that cannot be seen: not on the ground, on a chart, or in a notice.",
    "GEO-10": (
        "A line between forces freezes what was there on a day. Without that day and its map, every later move can"
        " be called the status quo."
    ),
    "GEO-11": (
        "A circle does not stop at a border. Whether the zone does is a question to a neighbour who did not sign."
    ),
    "TIM-01": 'Between the words "from today" and the first shot lie the hours in which each side\'s clock is right.',
    "TIM-02": "What is in force before its maps, channels and contacts exist is broken before it can be kept.",
    "TIM-03": (
        "A term that runs out unnoticed leaves one side under an agreement and the other without. The act that "
        "renews it has an owner and a day."
    ),
    "TIM-04": (
        "A deadline without an owner is nobody's; one without a judge was met, says one side, and missed, says the"
        " other."
    ),
    "TIM-05": (
        "The hours between signature and start are when ground is taken. A rule for them, and time for orders to "
        "reach the ranks, keeps the first day quiet."
    ),
    "TIM-06": (
        "A window at 02:30 does not exist on one night of the year and comes twice on another. A window without "
        "its zone is two windows."
    ),
    "TIM-07": '"You first" is a cycle of duties. A file can be checked for it; a negotiation often is not.',
    "CON-01": (
        "What is not on a closed list is a breach for one side and nothing for the other. Every act needs a test "
        "that a machine can make, or an observer who tells it."
    ),
    "CON-02": (
        "Ambulances, fire engines and repair crews move when there is danger. Unless they are written in, they "
        "move as suspects."
    ),
    "CON-03": (
        '"Too close" is not a number. Without one the watch has no rule, and a person decides in a minute what a '
        "table could have held for years."
    ),
    "CON-04": "A berm is a road repair to those who build it and a firing position to those who see it.",
    "CON-05": (
        'How far a weapon reaches decides how far it has to stay. A class and a distance can be verified; "heavy '
        'weapons" cannot.'
    ),
    "CON-06": (
        "A drone that looks is how a strike begins, and also how a ceasefire is watched. Which of the two it is "
        "has to be agreed."
    ),
    "CON-07": (
        "Every side keeps the right to defend itself; undefined, it swallows the agreement. A duty to report its "
        "use, and to try the channel first, keeps it small."
    ),
    "CON-08": (
        "A radar that locks and a gun that turns are answered before anybody speaks. Listed as menacing, they are "
        "reported instead."
    ),
    "NOT-01": (
        "Whoever announces a movement is not taken for an attack. Who has to, in which words, and how long before,"
        " must be fixed."
    ),
    "NOT-02": (
        "A notice received by an office is not a notice read by the one who holds the weapon. Receipt, passing on "
        "and reading are three facts with three deadlines."
    ),
    "NOT-03": (
        "A notice informs. Once an acknowledgement counts as permission, everybody who has none is fair game, and "
        "who has one is held to a route."
    ),
    "NOT-04": (
        "Plans change on the road. A change that cannot be told in time turns a notified convoy into an unknown one."
    ),
    "NOT-05": (
        "A notice is only as good as the list of those who must hold it. If the list is open, the one unit that "
        "mattered was not on it."
    ),
    "NOT-06": (
        "A list of hospitals and convoys is also a list of targets. Who may see it, and until when, protects the "
        "people on it."
    ),
    "WRN-01": (
        "Between silence and force there must be steps of words. Two or more of them, known to both sides, before "
        "anything ends."
    ),
    "WRN-02": (
        "A warning that ends at a third party has not reached the one who moves. Each step that begins on what "
        "somebody does needs one channel that ends at that somebody."
    ),
    "WRN-03": (
        "One radio, one mast, one battery: then silence means nothing. Two channels on different media, with no "
        "carrier in common, make silence mean something."
    ),
    "WRN-04": (
        "Without a time to answer, every silence is too long for one side and too short for the other. Each step "
        "says how long it waits, how often it repeats, and what silence leads to."
    ),
    "WRN-05": (
        "A warning in the wrong language is a noise. Fixed, plain words in each language can be checked by both "
        "sides in advance."
    ),
    "WRN-06": (
        "If the words take longer than the way, the ladder ends inside the zone. The sum of the steps before "
        "entry, at top speed, with a reserve, must fit the distance."
    ),
    "WRN-07": (
        "A ladder that nobody takes down goes on warning, or is believed to. An error that is not taken back is "
        "remembered as a threat."
    ),
    "WRN-08": (
        "Tocsin tells people. No level, channel or text orders force, aims it or allows it, and software decides "
        "nothing at the end: a person does. What force somebody says was used is recorded as that somebody's "
        "claim."
    ),
    "WRN-09": "A line that is not tried is found dead on the day it is needed.",
    "VER-01": (
        "Without an observer both sides only have their own word. A named body with a mandate has one that can be "
        "asked."
    ),
    "VER-02": (
        "An observer who is turned away sees nothing, and nothing seen is reported as quiet. A refusal must count "
        "as an incident."
    ),
    "VER-03": (
        "An inspection that has no rhythm happens when it suits. One that can be asked for happens when it matters."
    ),
    "VER-04": (
        "A withdrawal can be verified only against what was there. Without inventory or survey there is no before."
    ),
    "VER-05": (
        "A sensor belongs to somebody, has gaps, and disagrees with others. Who owns the data decides who can "
        "withhold them."
    ),
    "VER-06": "Reports that go to nobody in particular, at no time in particular, change nothing.",
    "VER-07": "A visit announced beforehand finds what was made ready.",
    "INC-01": (
        "The first account that is written down becomes the story. Both sides' accounts, on one form, by one hour,"
        " become a record."
    ),
    "INC-02": (
        "Two inquiries find two truths. A joint one, with members and dates fixed before anything happens, can at "
        "least find one list of facts."
    ),
    "INC-03": (
        "Evidence is gone after a week unless somebody must keep it, and it is worth little unless it can be shown"
        " to be unchanged."
    ),
    "INC-04": "Often nobody knows who did it. A form that must name somebody will name somebody.",
    "INC-05": (
        "A call takes a minute and a reply starts a day. The channel is tried first; the exception is reported."
    ),
    "INC-06": (
        "When protected people are harmed, somebody must find out, say so, and change what failed. Notification "
        "systems lacked that duty."
    ),
    "INC-07": (
        "Public claims harden in hours, and nobody can go back behind them. A few days' delay, or words spoken "
        "together, leave room."
    ),
    "DIS-01": (
        "Somebody must be able to say what counted. Joint commissions lengthen peace (Fortna 2003); a commission "
        "without members, quorum and rule decides nothing."
    ),
    "DIS-02": "Commissions with equal sides split evenly. A chair or a next level breaks the tie.",
    "DIS-03": (
        "A breach without consequence is a price of nothing. A graded list, with discipline and notice of it, "
        "answers small breaches small."
    ),
    "DIS-04": (
        "A side letter can take back what the text gives. Saying that there is none, or listing them, costs one line."
    ),
    "COM-01": (
        "Each two sides need a line of their own, with hours and with a spare. A line through somebody else is "
        "theirs to cut."
    ),
    "COM-02": (
        "Channels are suspended in anger, which is when they are needed. One that no side can suspend alone, and "
        "that outlives the agreement, is there on that day."
    ),
    "COM-03": (
        "An agreement binds a sentry only once the order has reached him. The order has an issuer, a confirmation "
        "and an hour."
    ),
    "COM-04": "Nobody can keep a rule that he may not read.",
    "AMD-01": (
        "Two versions in two drawers are two agreements. A version has a number, an author, and a procedure that "
        "makes the next one."
    ),
    "AMD-02": (
        "Maps and lists change more often than treaties. Who changes them, and with what notice, must be fixed; "
        "and what is still open must be listed."
    ),
    "AMD-03": "What is not looked at on a fixed day is looked at after an incident.",
    "AMD-04": "Two languages are two texts unless one prevails or both are equal by agreement.",
    "EXT-01": (
        "If the way out is not written, the way out is to stop answering. Notice, and whether a part may be "
        "suspended, keep an exit from becoming an incident."
    ),
    "EXT-02": (
        "The end of an agreement must not be the end of the channel, of the evidence, or of the corridor people are on."
    ),
    "EXT-03": "A term that lapses unannounced is peace for one side and war for the other.",
    "REC-01": (
        "Afterwards everybody has their own log. One that can be shown to be unchanged, kept by a known clock, is "
        "the only one both sides can use. Hashes and signatures stop everybody but the holder of the log's key, "
        "who can write another history and sign it; what stops the holder is that other parties remember the log "
        "and sign what they saw."
    ),
    "REC-02": (
        "Monitoring gathers what can kill if it is shown to the wrong one. Who sees what is decided before there "
        "is anything to see."
    ),
}
"""By code, in the order of the list."""
