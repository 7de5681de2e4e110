"""From the camera image to the features of the recurrent policy."""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from rtrrl_msgs.msg import Features
from sensor_msgs.msg import Image

from ..driving.assembly import load_encoder, single_threaded
from ..parameters import Checked, parameter
from .diagnostics import OK
from .managed_node import ManagedNode
from .messages import features_message, image_pixels, stamp_ns
from .process import run_node
from .qos import NEWEST, STREAM

WARM_UP_IMAGES = 5


@dataclasses.dataclass(frozen=True)
class EncoderNodeConfig(Checked):
    """Parameters of the node."""

    model: str = parameter('', 'model folder')


class EncoderNode(ManagedNode):
    """Encodes the newest image; the same image again gives the same features again."""

    sections = (EncoderNodeConfig,)

    def __init__(self) -> None:
        super().__init__('encoder_node')

    def configure(self) -> None:
        single_threaded()
        self._encoder = load_encoder(self.section(EncoderNodeConfig).model)
        for _ in range(WARM_UP_IMAGES):
            self._encoder.encode(np.zeros((96, 96, 3), np.uint8))
        self._seq, self._latency_s = 0, 0.0
        self._features = self.advertise(Features, 'features', STREAM)
        self.subscribe(Image, 'image_raw', self._on_image, NEWEST)

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        return OK, 'active', {'images': self._seq, 'latency_ms': f'{1e3 * self._latency_s:.2f}'}

    def _on_image(self, message: Image) -> None:
        start_s = time.perf_counter()
        features = self._encoder.encode(image_pixels(message))
        self._features.publish(features_message(stamp_ns(message), self._seq, features))
        self._seq += 1
        self._latency_s = time.perf_counter() - start_s


def main() -> NoReturn:
    """Run the node."""
    run_node(EncoderNode)


if __name__ == '__main__':
    main()
