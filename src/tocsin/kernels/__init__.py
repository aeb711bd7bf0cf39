"""Kernels: the only place that imports numba. Arrays in, arrays out; each has a slow twin in tests/naive.py."""
