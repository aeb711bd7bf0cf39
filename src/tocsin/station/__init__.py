"""The station: the composition root, and the only wiring in the house; replayed or live.

core/      what one tick decides: pure
durable/   the thread that ticks, its transactions, snapshots, the restart
past/      reports of earlier ticks, hour files of them, what late ones change
publish/   the record: written, signed, witnessed, handed out
replay/    recorded tracks instead of feeds
the rest   a live station put together, and what it answers
"""
