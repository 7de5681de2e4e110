"""Numbers below 1e-38 count as zero while a kernel runs.

A trace that decays towards zero would otherwise pass through the denormal numbers, where one
operation costs about a hundred: a car that stands still would learn ever more slowly. The mode
belongs to the running thread, so a kernel sets it on entry and restores it on exit.
"""

import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from ...machine_code import numba

_X86 = platform.machine().lower() in ('x86_64', 'amd64')
_ARM = platform.machine().lower() in ('aarch64', 'arm64')
_X86_FLUSH = 0x8040  # MXCSR: flush results to zero (bit 15), read denormals as zero (bit 6)
_ARM_FLUSH = 1 << 24  # FPCR.FZ: both

_WORD = ir.IntType(32)
_LONG = ir.IntType(64)


def _x86_mode(builder: Any, name: str, slot: Any) -> None:
    pointer = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [pointer]), f'llvm.x86.sse.{name}'
    )
    builder.call(function, [builder.bitcast(slot, pointer)])


@intrinsic
def flush_denormals(typing_context: Any) -> Any:
    """Set the mode; returns what `restore` needs."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _X86:
            slot = cgutils.alloca_once(builder, _WORD)
            _x86_mode(builder, 'stmxcsr', slot)
            before = builder.load(slot)
            builder.store(builder.or_(before, _WORD(_X86_FLUSH)), slot)
            _x86_mode(builder, 'ldmxcsr', slot)
            return builder.zext(before, _LONG)
        if _ARM:
            read = ir.FunctionType(_LONG, [])
            before = builder.asm(read, 'mrs $0, fpcr', '=r,~{memory}', [], True)
            _arm_write(builder, builder.or_(before, _LONG(_ARM_FLUSH)))
            return before
        return _LONG(0)

    return numba.types.int64(), generate


def _arm_write(builder: Any, value: Any) -> None:
    write = ir.FunctionType(ir.VoidType(), [_LONG])
    builder.asm(write, 'msr fpcr, $0', 'r,~{memory}', [value], True)


@intrinsic
def restore(typing_context: Any, before: Any) -> Any:
    """Undo `flush_denormals`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _X86:
            slot = cgutils.alloca_once(builder, _WORD)
            builder.store(builder.trunc(arguments[0], _WORD), slot)
            _x86_mode(builder, 'ldmxcsr', slot)
        elif _ARM:
            _arm_write(builder, arguments[0])
        return context.get_dummy_value()

    return numba.types.void(numba.types.int64), generate
