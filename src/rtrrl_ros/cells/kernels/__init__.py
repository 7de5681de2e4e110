"""Compiled float32 kernels: a whole learning step in one pass over memory. See README.md here."""

from .network import FusedNetwork, has_kernels
from .rule import UpdateRule

__all__ = ['FusedNetwork', 'UpdateRule', 'has_kernels']
