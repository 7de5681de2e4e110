"""exp, sigmoid, tanh, cos and sin in float32 without a library call: loops of them become SIMD.

Errors are below 3e-7: relative for exp, absolute for the others (cos and sin for |x| < 1000).
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic  # type: ignore[import-untyped]

from ...machine_code import numba
from .compiling import HALF, ONE, TWO, inlined_in_order


def _taylor(*degrees: int) -> tuple[np.float32, ...]:
    """1 / k! for each degree k."""
    return tuple(np.float32(1.0 / math.factorial(degree)) for degree in degrees)


_LOG2_E = np.float32(1.0 / math.log(2.0))
# ln 2 and pi/2 as high + low; high has so few bits that k * high is exact for |k| < 2^12
# (which is why nothing here may be added in another order).
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(math.log(2.0) - 0.693359375)
_QUARTER_HIGH, _QUARTER_LOW = np.float32(1.5703125), np.float32(math.pi / 2 - 1.5703125)
_QUARTERS = np.float32(2.0 / math.pi)
# On |r| <= ln(2)/2 and |r| <= pi/4 the first terms left out are below 6e-9 and 4e-9.
_E2, _E3, _E4, _E5, _E6, _E7 = _taylor(2, 3, 4, 5, 6, 7)
_S3, _S5, _S7, _S9 = _taylor(3, 5, 7, 9)
_C4, _C6, _C8, _C10 = _taylor(4, 6, 8, 10)
_LARGEST = np.finfo(np.float32).max
_LOWEST, _HIGHEST = np.float32(-87.0), np.float32(88.0)  # e^x stays a normal float32 between


@intrinsic
def _float_of_bits(typing_context: Any, bits: Any) -> Any:
    """The float32 with these 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return numba.types.float32(numba.types.int32), generate


@inlined_in_order
def exp(x: np.float32) -> np.float32:
    """e^x, x limited to [-87, 88]: 2^k e^r with |r| <= ln(2)/2; not-a-number stays so."""
    limited = _LOWEST if x < _LOWEST else x
    limited = _HIGHEST if limited > _HIGHEST else limited
    k = np.floor(limited * _LOG2_E + HALF)
    r = limited - k * _LN2_HIGH - k * _LN2_LOW
    tail = _E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * _E7))))
    exponent = np.int32((np.int32(k) + np.int32(127)) << np.int32(23))
    return (ONE + r + r * r * tail) * _float_of_bits(exponent)


@inlined_in_order
def sigmoid(x: np.float32) -> np.float32:
    return ONE / (ONE + exp(-x))


@inlined_in_order
def tanh(x: np.float32) -> np.float32:
    return ONE - TWO / (ONE + exp(TWO * x))


@inlined_in_order
def cos_sin(x: np.float32) -> tuple[np.float32, np.float32]:
    """cos x and sin x: the nearest multiple k of pi/2, and a polynomial for what is left."""
    k = np.floor(x * _QUARTERS + HALF)
    r = x - k * _QUARTER_HIGH - k * _QUARTER_LOW
    square = r * r
    sine = r - r * square * (_S3 - square * (_S5 - square * (_S7 - square * _S9)))
    cosine = ONE - square * (
        HALF - square * (_C4 - square * (_C6 - square * (_C8 - square * _C10)))
    )
    quarter = np.int32(k) & np.int32(3)
    swapped = (quarter & np.int32(1)) != 0
    c, s = (sine, cosine) if swapped else (cosine, sine)
    c = -c if quarter == 1 or quarter == 2 else c
    s = -s if quarter >= 2 else s
    return c, s


@inlined_in_order
def is_finite(x: np.float32) -> np.bool:
    """Whether x is a number and not infinite.

    NumPy's test is x - x == 0, which the compiler answers without looking where x is a sum and
    sums may be reordered.
    """
    return abs(x) <= _LARGEST
