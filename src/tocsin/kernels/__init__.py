"""Kernels: the only place that imports numba. Arrays and scalars in, arrays out; each has a slow twin in tests/naive.py."""
