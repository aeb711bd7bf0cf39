"""Versions of an agreement: changed, compared, signed, and in force one at a time."""
