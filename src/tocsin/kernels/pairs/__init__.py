"""Tracks near each other, and where their courses bring them."""
