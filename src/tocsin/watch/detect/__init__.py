"""Detectors that look at many tracks at once: proximity, build-up and void, one kind a file.

The design, and why it keeps the promise that neither batch cuts nor the order of arrival change a final event (P2):

1. *Positions are a function of the reports alone.* Between two fixes a track goes along the geodesic at even speed;
   after its last fix, and between two fixes further apart than the zone's gap time, it is nowhere. Nothing is
   extrapolated.
2. *Time is cut at beats* (`kernels/detect/meetings.py`: a minute, multiples of event time), ways at fixes and at beats.
   Within a piece of way a meeting is found in continuous time, so nothing is missed between beats; whether a place
   counts as inside a zone is asked at the end of each piece. Whole beats are decided, so where a span of them was cut
   changes nothing.
3. *A beat is decided once all reports that bracket it are there*: when the watermark has passed its end by more than
   the longest gap time of the zones concerned (one hour where the agreement sets none). Two fixes around an instant
   lie at most that far apart, or the track is nowhere at that instant. `PairWatch.waits_us` is that delay. At the end
   of an archive nothing more will come, and `Engine.finish` decides the rest at once; the events are the same.
4. *What lasts is kept per pair* (`CONTACT`): since when, until when, how close. A contact begins at the agreed
   distance and goes on while the two are within that distance plus both accuracies, with breaks of at most the zone's
   clear time: begin early, end late. Its instants come from the ways, so its identity is the same wherever it is
   found.
5. *Warning does not wait for the watermark.* A live watch also decides, on a copy, everything up to the newest report
   (`Engine.early`): with nothing extrapolated, that is what would be final if nothing else came, under the same id. The
   track-by-track watch at arrival (`live.py`) leaves these kinds out: putting one track back to where it is settled
   would leave the other track of a pair behind. A void is never told early: that somebody is gone is known only once
   the gap time has passed without a fix.
"""
