"""The simulator: a watch in virtual time, its faults switched on by seed (`python3 do.py sim`)."""
