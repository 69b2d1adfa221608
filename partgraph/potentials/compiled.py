"""A potential's compiled form: addresses of C functions that solvers call in place of `evaluate` and `bounds`.

``partgraph_potential.h``, in the folder that `get_include` returns, declares the two functions and says what they must
do. C, Cython, Rust or numba's ``cfunc`` make them; see the page on potentials.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph.interval import Interval

_NUMBERS, _COUNT = ctypes.POINTER(ctypes.c_double), ctypes.c_int64
_BOXES = (_NUMBERS, _NUMBERS, _COUNT)


def _numbers(array: np.ndarray) -> Any:
    return array.ctypes.data_as(_NUMBERS)


def _contiguous(numbers: Any) -> np.ndarray:
    return np.ascontiguousarray(numbers, dtype=np.float64)


def get_include() -> str:
    """Return the folder of ``partgraph_potential.h``, for a C compiler's include path."""
    return str(Path(__file__).parents[1] / "include")


def _address(function: Any) -> int:
    """Return the address of a C function: a number, a ctypes function, or a capsule as in Cython's ``__pyx_capi__``."""
    if isinstance(function, int):
        return function
    if type(function).__name__ == "PyCapsule":
        api = ctypes.pythonapi
        api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
        api.PyCapsule_GetPointer.restype = ctypes.c_void_p
        api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        return int(api.PyCapsule_GetPointer(function, api.PyCapsule_GetName(function)))
    address = ctypes.cast(function, ctypes.c_void_p).value  # raises what it cannot take
    if not address:
        raise ValueError("the address of a compiled function must not be null")
    return address


@final
@attrs.frozen(eq=False)
class CompiledTerm:
    """The compiled form of a pairwise potential with its fields.

    Attributes
    ----------
    values : int
        Address of a ``partgraph_values``; a ctypes function or a capsule with one will do.
    bounds : int
        Address of a ``partgraph_bounds``.
    fields : array
        (F,) float64, what both are given: the potential's numbers, in an order of its own.
    keep : object
        Kept alive as long as this: the library, or numba's functions.
    """

    VALUES: ClassVar[Any] = ctypes.CFUNCTYPE(
        None, _NUMBERS, _COUNT, _COUNT, _NUMBERS, _COUNT, _NUMBERS, _COUNT, _NUMBERS
    )
    """The type ``partgraph_values``, to ctypes."""
    BOUNDS: ClassVar[Any] = ctypes.CFUNCTYPE(
        None, _NUMBERS, _COUNT, _COUNT, *_BOXES, *_BOXES, _NUMBERS, _NUMBERS
    )
    """The type ``partgraph_bounds``, to ctypes."""

    values: int = attrs.field(converter=_address)
    bounds: int = attrs.field(converter=_address)
    fields: np.ndarray = attrs.field(converter=_contiguous)
    keep: object = None

    def call_values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the scores of pairs of positions, (count, D) each: (count,) float64. For tests."""
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
        dim, count = x.shape
        out = np.empty(count)
        ends = _numbers(x), count, _numbers(y), count
        self.VALUES(self.values)(_numbers(self.fields), dim, count, *ends, _numbers(out))
        return out

    def call_bounds(self, x: Interval, y: Interval) -> Interval:
        """Return the bounds of pairs of boxes, (count, D) each: (count,). For tests."""
        ends = [np.ascontiguousarray(end.T) for end in (x.lo, x.hi, y.lo, y.hi)]
        dim, count = ends[0].shape
        lo, hi = np.empty(count), np.empty(count)
        first, second, third, fourth = map(_numbers, ends)
        boxes = first, second, count, third, fourth, count
        self.BOUNDS(self.bounds)(_numbers(self.fields), dim, count, *boxes, _numbers(lo), _numbers(hi))
        return Interval(lo, hi)
