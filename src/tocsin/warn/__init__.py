"""Warn: cases that climb the agreed ladder, what was said to whom, and what came back.

Implements the agreement's ladder (docs/guide/ladder.md). It tells people; it advises no force,
and an acknowledgement is a receipt and nothing more.
"""
