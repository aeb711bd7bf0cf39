"""Prefetch: ask for a row before its turn comes, so that it lies in the cache by then; changes nothing else.

Reports of one instant are of as many tracks, and each track's row is elsewhere: waiting for it was a third of a sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import config, types
from numba.extending import intrinsic

LINE = 64
"""Bytes of a line of the cache; another size costs time only."""


def _prefetch(typing_context: Any, rows: Any, index: Any) -> Any:
    """Say what the intrinsic `prefetch_row` does: a hint for each line of the cache that the row touches."""
    del typing_context
    size = rows.dtype.size if isinstance(rows.dtype, types.Record) else rows.dtype.bitwidth // 8

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        head = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        hint = builder.module.declare_intrinsic("llvm.prefetch", [byte], ir.FunctionType(
            ir.VoidType(), [byte, number, number, number]))  # fmt: skip
        wide = context.cast(builder, arguments[1], signature.args[1], types.uintp)
        first = builder.bitcast(builder.gep(head.data, [wide]), byte)
        for line in (*range(0, size, LINE), size - 1):
            place = builder.gep(first, [ir.Constant(ir.IntType(64), line)])
            builder.call(hint, [place, number(1), number(3), number(1)])  # to be written, to be kept, data
        return context.get_dummy_value()

    return types.void(rows, index), code


prefetch_row: Callable[[Any, Any], None] = (
    (lambda rows, index: None) if config.DISABLE_JIT else intrinsic(_prefetch)  # type: ignore[attr-defined]
)
"""Ask for `rows[index]`, a row or a number, whose index is not negative and may lie past the array's end."""
