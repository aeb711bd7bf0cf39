"""Held: a bundle of arrays that is handed to kernels as one pointer.

numba unpacks every array of a named tuple at each call from Python, and copies all of their heads at each call from
one kernel to another: some three hundred words for the state, the atlas and the book together. A held bundle is written
down once, in the form in which kernels read it; after that a call hands over where it stands, and a kernel loads what
it uses. Python keeps the arrays alive and unmoved as long as the held bundle lives; whoever puts another array into the
bundle's place holds a new one. It does not copy what the arrays hold, and knows nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.core.dispatcher import Dispatcher
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, intrinsic, lower_getattr_generic, models, register_model, typeof_impl, unbox

from tocsin.kernels.jit import kernel

T = TypeVar("T")

WORDS = 16
"""Room for a field of a bundle, in words of eight bytes: the head of an array of five dimensions."""


class HeldType(types.Type):
    """What numba knows of a held bundle: the type of the named tuple. Its value is a pointer."""

    def __init__(self, bundle: Any) -> None:
        self.bundle = bundle
        super().__init__(name=f"Held({bundle})")


register_model(HeldType)(models.OpaqueModel)


@infer_getattr
class _Fields(AttributeTemplate):
    """A held bundle has the fields of its named tuple."""

    key = HeldType

    def generic_resolve(self, held: Any, name: str) -> Any:  # type: ignore[override]
        fields = held.bundle.fields
        return held.bundle[fields.index(name)] if name in fields else None


@lower_getattr_generic(HeldType)  # type: ignore[untyped-decorator]
def _load(context: Any, builder: Any, held: Any, pointer: Any, name: str) -> Any:
    """Load a field; nobody writes there while a kernel runs, so that it need be loaded once only."""
    rows = builder.bitcast(pointer, context.get_value_type(held.bundle).as_pointer())
    loaded = builder.load(cgutils.gep_inbounds(builder, rows, 0, held.bundle.fields.index(name)))
    loaded.set_metadata("invariant.load", builder.module.add_metadata(()))
    return loaded


def _write(typing_context: Any, block: Any, bundle: Any) -> Any:
    """Say what the intrinsic `write` does: it stores the bundle's value as the block's bytes."""
    del typing_context

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        head = context.make_array(signature.args[0])(context, builder, arguments[0])
        builder.store(arguments[1], builder.bitcast(head.data, context.get_value_type(bundle).as_pointer()))
        return context.get_dummy_value()

    return types.void(block, bundle), code


write: Callable[[Any, Any], None] = intrinsic(_write)


@kernel
def note(block: Any, bundle: Any) -> None:
    """Write a bundle down in a block."""
    write(block, bundle)


class Held:
    """A bundle written down for kernels, when one first asks; for Python, its fields.

    Parameters
    ----------
    bundle : named tuple of ndarray, int, float and Held
    """

    __slots__ = ("address", "block", "bundle", "kind")

    def __init__(self, bundle: NamedTuple) -> None:
        self.bundle = bundle

    def __getattr__(self, name: str) -> Any:
        if name in ("address", "kind"):
            self.block = np.zeros(WORDS * len(self.bundle), np.int64)
            self.kind, note_down = _known(self.bundle)
            note_down(self.block, self.bundle)
            self.address = self.block.ctypes.data
            return self.address if name == "address" else self.kind
        if name in Held.__slots__ or name.startswith("__"):  # an object that is only just being made has none of these
            raise AttributeError(name)
        return getattr(self.bundle, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.bundle)

    def __reduce__(self) -> Any:
        return Held, (self.bundle,)


@typeof_impl.register(Held)
def _type_of(held: Held, context: Any) -> Any:
    del context
    return held.kind


@unbox(HeldType)  # type: ignore[untyped-decorator]
def _unbox(kind: Any, held: Any, c: Any) -> Any:
    """Take the address out of the Python object."""
    address = c.pyapi.object_getattr_string(held, "address")
    number = c.pyapi.long_as_ulonglong(address)
    c.pyapi.decref(address)
    return NativeValue(c.builder.inttoptr(number, c.context.get_value_type(kind)))


_ENTRIES: dict[tuple[Any, ...], Any] = {}
"""Kernels' code, by what their arguments are."""

_KNOWN: dict[tuple[Any, ...], tuple[HeldType, Callable[..., None]]] = {}
"""Types of bundles, and how each is written down, by what their fields are: numba takes a millisecond for a type."""


def _known(bundle: Any) -> tuple[HeldType, Callable[..., None]]:
    """Return the type of a held bundle, and the kernel that writes such a bundle down."""
    fields = (type(bundle), *map(_field, bundle))
    if fields not in _KNOWN:
        kind = numba.typeof(bundle)
        _KNOWN[fields] = HeldType(kind), cast("Dispatcher", note).compile((types.int64[::1], kind))
    return _KNOWN[fields]


def _field(value: Any) -> Any:
    """Return what makes a field's type: of an array the rows' and the dimensions, and how and where they lie."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.dtype.isalignedstruct, value.ndim, value.flags.num
    if isinstance(value, tuple):
        return (type(value), *map(_field, value))
    return value.kind if isinstance(value, Held) else type(value)


def entry(function: Callable[..., T], *arguments: Any) -> Callable[..., T]:
    """Return a kernel's code for arguments of these types; it takes others of the same types, and does not look.

    A kernel called by its name finds out the type of each argument first, which costs ten times as much as the call.

    Parameters
    ----------
    function : kernel
    *arguments
        Examples. Where an array may only be read, so may the examples be; it takes those that may be written, too.

    Returns
    -------
    callable
        That takes as many arguments, none by its name. Arrays of another type's rows of the same size, or that do not
        lie as the examples do, are read wrongly: whoever calls must know.
    """
    if not isinstance(function, Dispatcher):
        return function
    kinds = (function, *map(_field, arguments))
    if kinds not in _ENTRIES:
        _ENTRIES[kinds] = function.compile(tuple(map(numba.typeof, arguments)))
    return cast("Callable[..., T]", _ENTRIES[kinds])


def hold(bundle: T) -> T:
    """Return a bundle as kernels take it fastest: what has its fields, for Python as for kernels.

    Parameters
    ----------
    bundle : named tuple of ndarray, int, float and held bundles

    Returns
    -------
    Held
        Which stands for the bundle; the bundle itself where kernels are not compiled.
    """
    return cast("T", Held(cast("NamedTuple", bundle))) if isinstance(note, Dispatcher) else bundle
