"""Numba with the same settings in every process, and so the same machine code.

Compiled functions are kept on disk by the processor's features that they were compiled for. Where
a process sets other features than the next one, each compiles its own variant, whose sums may be
rounded differently: a run in the graph would then not be the run in one process, bit for bit.
Whatever compiles imports numba from here.
"""

import numba  # type: ignore[import-untyped]
from llvmlite import binding as llvm  # type: ignore[import-untyped]

__all__ = ['numba']


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
