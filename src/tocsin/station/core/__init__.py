"""The core of a station: what one tick decides, as a pure step (DESIGN P2, P4).

State and inputs in, state and commit out. Nothing in this folder reads a clock, a socket or a disk.
"""
