"""Held bundles: what a kernel finds in one, and that it follows what Python does to the arrays."""

from __future__ import annotations

import copy
import gc
from typing import Any, NamedTuple

import numpy as np

from tocsin.kernels.held import hold
from tocsin.kernels.jit import kernel

PAIR = np.dtype([("at_us", "i8"), ("value", "f4")], align=True)


class Inner(NamedTuple):
    """A bundle within a bundle."""

    values: Any
    share: float


class Outer(NamedTuple):
    """Arrays of every shape that the watch has, a number, and a held bundle."""

    rows: Any
    table: Any
    inner: Any
    count: int


@kernel
def _gather(outer: Any, i: int, out: Any) -> None:
    outer.rows[i].value += 1.0
    out[0], out[1] = outer.rows[i].at_us, outer.rows[i].value
    out[2], out[3] = outer.table[i, 1], outer.table.shape[0]
    out[4], out[5], out[6] = outer.inner.values[i], outer.inner.share, outer.count
    out[7] = len(outer.inner.values)


@kernel
def gather(outer: Any, i: int, out: Any) -> None:
    """Write everything that a bundle holds at one index, through a kernel that is called by this one."""
    _gather(outer, i, out)


def bundle(n: int) -> Outer:
    """Return a bundle of n rows; each number in it tells where it stands."""
    rows = np.zeros(n, PAIR)
    rows["at_us"], rows["value"] = np.arange(n) + 10, np.arange(n) + 0.5
    return Outer(rows, np.arange(2.0 * n).reshape(n, 2), hold(Inner(np.arange(n, dtype=np.int32) + 100, 0.25)), n)


def test_kernel_finds_every_field_as_python_has_it():
    outer, out = bundle(5), np.zeros(8)
    held = hold(outer)
    gather(held, 3, out)
    assert out.tolist() == [13, 4.5, 7.0, 5, 103, 0.25, 5, 5]
    assert outer.rows["value"][3] == 4.5  # written through, not into a copy
    assert held.count == 5 and held.rows is outer.rows and held.inner.share == 0.25
    assert all(a is b for a, b in zip(held, outer, strict=True))


def test_arrays_stay_where_they_are_while_only_the_bundle_holds_them():
    many = [hold(bundle(50)) for _ in range(200)]
    gc.collect()
    out = np.zeros(8)
    for held in many:
        gather(held, 49, out)
        assert out.tolist() == [59, 50.5, 99.0, 50, 149, 0.25, 50, 50]


def test_copy_of_a_bundle_holds_its_own_arrays():
    held, out = hold(bundle(4)), np.zeros(8)
    gather(held, 2, out)
    other = copy.deepcopy(held)
    gather(other, 2, out)
    assert out[1] == 4.5 and held.rows["value"][2] == 3.5
