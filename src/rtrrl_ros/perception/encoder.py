"""The CNN encoder: a grey image to features, trained with cloning and reconstruction (2602.02236).

While the car learns, the encoder stands still: its features are the input of actor and critic.
"""

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UserError
from .image import preprocess

CHANNELS = (8, 16, 32, 64)


class Encoder(nn.Module):
    """Four strided convolutions and a linear layer: (B, 1, S, S) in [0, 1] to (B, latent)."""

    def __init__(self, image_size: int = 64, latent_size: int = 64) -> None:
        super().__init__()
        unit = 2 ** len(CHANNELS)
        if image_size % unit:
            raise UserError(f'image_size = {image_size}: must be a multiple of {unit}')
        self.image_size, self.latent_size = image_size, latent_size
        layers: list[nn.Module] = []
        for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers)
        self.map_size = image_size // 2 ** len(CHANNELS)
        self.linear = nn.Linear(CHANNELS[-1] * self.map_size**2, latent_size)
        # unit scale whatever the light: the cell's input synapses are made for it
        self.norm = nn.LayerNorm(latent_size, elementwise_affine=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.norm(self.linear(self.convolutions(images - 0.5).flatten(1)))

    @torch.no_grad()
    def encode(self, image: np.ndarray) -> np.ndarray:
        """Features (latent,) float32 of one camera image (H, W, 3) uint8."""
        small = preprocess(image, self.image_size)
        return self(torch.from_numpy(small)[None, None])[0].numpy()


class Decoder(nn.Module):
    """The mirror image of the encoder, used in training only: (B, latent) to (B, 1, S, S)."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.map_size = encoder.map_size
        self.linear = nn.Linear(encoder.latent_size, CHANNELS[-1] * self.map_size**2)
        layers: list[nn.Module] = []
        for before, after in zip(CHANNELS[::-1], (*CHANNELS[-2::-1], 1), strict=True):
            layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        maps = self.linear(features).view(-1, CHANNELS[-1], self.map_size, self.map_size)
        return self.convolutions(maps) + 0.5
