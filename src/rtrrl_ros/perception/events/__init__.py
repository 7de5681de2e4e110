"""Events of an event camera: sources, decoders and encoders of packets, windows, frames."""

from .contract import EventBatch, EventSource, SourceCounters

__all__ = ['EventBatch', 'EventSource', 'SourceCounters']
