"""Event packets: the fields of one, decoders by encoding, encoders for the simulated camera."""

from .contract import EventPacket, PacketDecoder
from .evt3_encoder import encode_evt3
from .mono import encode_mono

__all__ = ['EventPacket', 'PacketDecoder', 'encode_evt3', 'encode_mono']
