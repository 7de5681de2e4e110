"""The CNN encoder: a frame to features, trained with cloning and reconstruction (2602.02236).

While the car learns, the encoder stands still: its features are the input of actor and critic.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UserError
from .image import preprocess

CHANNELS = (8, 16, 32, 64)
#: Rows and columns of a frame are multiples of this.
UNIT = 2 ** len(CHANNELS)


class FrameEncoder(nn.Module):
    """Four strided convolutions and a linear layer: (B, C, H, W) to (B, latent).

    Parameters
    ----------
    shape : (C, H, W) of a frame; H and W multiples of `UNIT`
    latent_size : features
    middle : value of a frame in which there is nothing to see
    """

    def __init__(self, shape: tuple[int, int, int], latent_size: int, middle: float = 0.0) -> None:
        super().__init__()
        channels, rows, columns = shape
        if min(shape) < 1 or rows % UNIT or columns % UNIT:
            raise UserError(f'frames of {columns} x {rows} pixels: must be multiples of {UNIT}')
        self.shape, self.latent_size, self.middle = shape, latent_size, middle
        layers: list[nn.Module] = []
        for before, after in zip((channels, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers)
        self.map_shape = (CHANNELS[-1], rows // UNIT, columns // UNIT)
        self.linear = nn.Linear(math.prod(self.map_shape), latent_size)
        # unit scale whatever the light: the cell's input synapses are made for it
        self.norm = nn.LayerNorm(latent_size, elementwise_affine=False)

    def forward(self, frames: Tensor) -> Tensor:
        return self.norm(self.linear(self.convolutions(frames - self.middle).flatten(1)))

    @torch.no_grad()
    def encode(self, frame: np.ndarray) -> np.ndarray:
        """Features (latent,) float32 of one frame (C, H, W) float32."""
        return self(torch.from_numpy(frame)[None])[0].numpy()


class Encoder(FrameEncoder):
    """The encoder of camera images, made grey and (image_size, image_size)."""

    def __init__(self, image_size: int = 64, latent_size: int = 64) -> None:
        super().__init__((1, image_size, image_size), latent_size, middle=0.5)
        self.image_size = image_size

    @torch.no_grad()
    def encode(self, frame: np.ndarray) -> np.ndarray:
        """Features (latent,) float32 of one camera image (H, W, 3) uint8."""
        return super().encode(preprocess(frame, self.image_size)[None])


class Decoder(nn.Module):
    """The mirror image of an encoder, used in training only: (B, latent) to (B, C, H, W)."""

    def __init__(self, encoder: FrameEncoder) -> None:
        super().__init__()
        self.map_shape, self.middle = encoder.map_shape, encoder.middle
        self.linear = nn.Linear(encoder.latent_size, math.prod(self.map_shape))
        layers: list[nn.Module] = []
        after_all = (*CHANNELS[-2::-1], encoder.shape[0])
        for before, after in zip(CHANNELS[::-1], after_all, strict=True):
            layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        maps = self.linear(features).view(-1, *self.map_shape)
        return self.convolutions(maps) + self.middle
