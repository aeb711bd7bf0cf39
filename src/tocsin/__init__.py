"""Tocsin: rings the bell before people are hurt by a misunderstanding."""

__version__ = "0.1.0"
