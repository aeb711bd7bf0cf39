"""Tracks: position reports in, checked, counted and ordered. Bytes become reports here and nowhere else."""
