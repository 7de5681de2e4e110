"""How every kernel here is compiled: float32, SIMD, cached on disk.

A kernel is a function nested in a builder. The sizes it closes over are compile-time constants,
so that every loop has a known length and every two arrays a known distance: only then does LLVM
turn the loops into SIMD without checks at run time (about fivefold here).
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numba  # type: ignore[import-untyped]
import numpy as np
from llvmlite import binding as llvm  # type: ignore[import-untyped]

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


def _use_full_vectors() -> None:
    """Let AVX-512 machines use their full width; LLVM's default of half of it costs 15 % here."""
    features = llvm.get_host_cpu_features()
    if features.get('avx512f') and not numba.config.CPU_FEATURES:
        numba.config.CPU_NAME = llvm.get_host_cpu_name()
        numba.config.CPU_FEATURES = features.flatten() + ',-prefer-256-bit'


_use_full_vectors()
# Unroll no loop completely that is longer than a few turns: the compiler does that before it looks
# for SIMD, and then finds none (sizes below 40 took up to five times as long).
llvm.set_option('rtrrl_ros', '-unroll-threshold=150')
llvm.set_option('rtrrl_ros', '-unroll-max-percent-threshold-boost=100')


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
