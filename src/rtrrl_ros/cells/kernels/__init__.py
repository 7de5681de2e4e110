"""Compiled float32 kernels: a whole learning step in one pass over memory. See README.md here."""

from .network import FusedNetwork, UpdateRule, has_kernels

__all__ = ['FusedNetwork', 'UpdateRule', 'has_kernels']
