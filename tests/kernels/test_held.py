"""Held bundles: what a kernel finds in one, and that it follows what Python does to the arrays."""

from __future__ import annotations

import copy
import gc
from typing import Any

import numpy as np
import pytest

from tocsin.kernels.forecast.routes import Routes
from tocsin.kernels.held import entry, hold
from tocsin.kernels.jit import kernel
from tocsin.kernels.prefetch import prefetch_row
from tocsin.kernels.tables import RULE, ZONE, Book, Desk


@kernel
def _gather(desk: Any, i: int, out: Any) -> None:
    desk.book.zones[i].lower_m += 1.0
    out[0], out[1] = desk.book.zones[i].clear_us, desk.book.zones[i].lower_m
    out[2], out[3] = desk.book.windows_us[i, 1], desk.book.windows_us.shape[0]
    out[4], out[5], out[6] = desk.routes.place[i], desk.book.horizon_s, desk.work
    out[7] = len(desk.routes.place)


@kernel
def gather(desk: Any, i: int, out: Any) -> None:
    """Write what bundles within a bundle hold at one index, through a kernel that is called by this one."""
    _gather(desk, i, out)


def desk(n: int) -> Desk:
    """Return bundles of n rows; each number in them tells where it stands."""
    zones, at_us, lat_deg = np.zeros(n, ZONE), np.arange(n), np.zeros(n)
    zones["clear_us"], zones["lower_m"] = np.arange(n) + 10, np.arange(n) + 0.5
    routes = Routes(
        np.arange(n, dtype=np.int32), at_us, lat_deg, lat_deg, at_us, at_us, np.arange(n, dtype=np.int32) + 100
    )
    rules, windows_us = np.zeros(n, RULE), np.arange(2 * n).reshape(n, 2)
    book = Book(zones, rules, rules, windows_us, np.zeros((1, 1, n), np.uint8), windows_us, windows_us, n, 0.25, 0.0, 0)
    return Desk(0, 0, hold(routes), hold(book), n)


def test_kernel_finds_every_field_as_python_has_it():
    bundle, out = desk(5), np.zeros(8)
    held = hold(bundle)
    gather(held, 3, out)
    assert out.tolist() == [13, 4.5, 7, 5, 103, 0.25, 5, 5]
    assert bundle.book.zones["lower_m"][3] == 4.5  # written through, not into a copy
    assert held.work == 5 and held.book is bundle.book and held.book.horizon_s == 0.25
    assert all(a is b for a, b in zip(held, bundle, strict=True))


def test_arrays_stay_where_they_are_while_only_the_bundle_holds_them():
    many = [hold(desk(50)) for _ in range(200)]
    gc.collect()
    out = np.zeros(8)
    for held in many:
        gather(held, 49, out)
        assert out.tolist() == [59, 50.5, 99, 50, 149, 0.25, 50, 50]


@kernel
def total(columns: Any, desk: Any, start: int) -> float:
    """Return the sum of two columns and a number of the desk's, reading rows ahead of their turn."""
    found = desk.book.horizon_s
    for i in range(start, len(columns[0])):
        prefetch_row(desk.book.zones, columns[1][i] + 100)
        found += columns[0][i] + desk.book.zones[columns[1][i]].lower_m
    return found


def test_entry_takes_what_may_be_written_and_what_may_not_and_is_compiled_once():
    rows, held = np.arange(4, dtype=np.int32), hold(desk(5))
    fixed = np.arange(4.0)
    fixed.setflags(write=False)
    code = entry(total, (fixed, rows), held, 0)
    assert code((np.arange(3.0), rows[1:]), held, 1) == 0.25 + 3.0 + 2.5 + 3.5
    assert code((fixed, rows), hold(desk(9)), 0) == 0.25 + 6.0 + 0.5 + 1.5 + 2.5 + 3.5
    assert entry(total, (fixed, rows), hold(desk(7)), 0) is code
    with pytest.raises(TypeError, match="can't unbox array"):
        code((np.arange(3, dtype=np.int16), rows), held, 0)


def test_copy_of_a_bundle_holds_its_own_arrays():
    held, out = hold(desk(4)), np.zeros(8)
    gather(held, 2, out)
    other = copy.deepcopy(held)
    gather(other, 2, out)
    assert out[1] == 4.5 and held.book.zones["lower_m"][2] == 3.5
