"""Event packets: the fields of one, decoders by encoding, encoders for the simulated camera."""

from ....errors import UserError
from ..contract import SourceCounters
from .contract import EventPacket, PacketDecoder
from .evt3_decoder import Evt3Decoder
from .evt3_encoder import encode_evt3
from .libcaer import LibcaerCmpDecoder, LibcaerDecoder
from .mono import MonoDecoder, encode_mono

__all__ = [
    'ENCODINGS',
    'EventPacket',
    'PacketDecoder',
    'encode_evt3',
    'encode_mono',
    'make_decoder',
]

_DECODERS: tuple[type[PacketDecoder], ...] = (
    Evt3Decoder,
    LibcaerCmpDecoder,
    LibcaerDecoder,
    MonoDecoder,
)
#: the encodings that `make_decoder` knows
ENCODINGS = tuple(decoder.encoding for decoder in _DECODERS)


def make_decoder(
    encoding: str, width: int, height: int, counters: SourceCounters | None = None
) -> PacketDecoder:
    """A decoder for packets of this encoding from a sensor of this size, compiled and ready.

    Raises UserError where the encoding is unknown, or needs a package that is not installed.
    """
    for decoder in _DECODERS:
        if decoder.encoding == encoding:
            return decoder(width, height, counters)
    raise UserError(
        f'unknown encoding {encoding!r} of event packets; known: {", ".join(ENCODINGS)}'
    )
