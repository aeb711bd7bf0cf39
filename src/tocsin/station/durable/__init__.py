"""Durability: the thread that ticks, the transaction of each tick, snapshots, and the restart from them (DESIGN P4)."""
