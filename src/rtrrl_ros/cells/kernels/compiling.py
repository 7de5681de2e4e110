"""How every kernel here is compiled: float32, SIMD, cached on disk.

A kernel is a function nested in a builder. The sizes it closes over are compile-time constants,
so that every loop has a known length and every two arrays a known distance: only then does LLVM
turn the loops into SIMD without checks at run time (about fivefold here).
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...machine_code import numba

Array = np.ndarray


class Kernels(NamedTuple):
    """The two functions of a network, to be compiled; `memory` is float32, laid out by `Layout`.

    forward(memory) -> bool : x to state, output and what the trace needs; are they finite?
    learn(memory, hyper, delta, decay) -> float : trace, parameters, eligibility; ||z||^2
    """

    forward: Callable[[Array], bool]
    learn: Callable[[Array, Array, float, float], float]


#: Sums may be reordered and multiply-adds contracted; not-a-number and infinity keep their
#: meaning, since the checks for them must survive.
_FAST_MATH = {'reassoc', 'contract', 'nsz', 'arcp', 'afn'}
_OPTIONS: dict[str, Any] = {'fastmath': _FAST_MATH, 'error_model': 'numpy'}

ZERO, HALF, ONE, TWO = (np.float32(value) for value in (0.0, 0.5, 1.0, 2.0))


def source_stamp() -> int:
    """A number that changes with the text of any module in this package.

    The cache on disk looks at a kernel's own file only, not at what the kernel inlines; a kernel
    that closes over this number is compiled again after any change.
    """
    stamp = 0
    for path in sorted(Path(__file__).parent.glob('*.py')):
        stamp = zlib.crc32(path.read_bytes(), stamp)
    return stamp


_MEMORY, _HYPER, _NUMBER = numba.float32[::1], numba.float64[::1], numba.float64


def forward_kernel(function: Callable[..., Any]) -> Any:
    """Compile `forward` of `Kernels`, once per set of sizes, and keep it on disk."""
    return numba.njit(numba.boolean(_MEMORY), cache=True, **_OPTIONS)(function)


def learn_kernel(function: Callable[..., Any]) -> Any:
    """Compile `learn` of `Kernels` likewise, for one `mode`."""
    signature = numba.float32(_MEMORY, _HYPER, _NUMBER, _NUMBER)
    return numba.njit(signature, cache=True, **_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call; it leaves no call behind."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def inlined_in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `inlined`, for what depends on the order in which it adds."""
    options = _OPTIONS | {'fastmath': _FAST_MATH - {'reassoc'}}
    return numba.njit(forceinline=True, **options)(function)


def entry_point(compiled: Any) -> Callable[..., Any]:
    """What a call of a compiled function ends in: 0.3 us less, but no check of the types.

    Keep `compiled` as long as this is in use: it owns the machine code.
    """
    (only,) = compiled.overloads.values()
    return only.entry_point
