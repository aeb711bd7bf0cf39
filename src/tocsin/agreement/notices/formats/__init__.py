"""Readers of notices: one file a format, all through one door (`door.py`)."""
