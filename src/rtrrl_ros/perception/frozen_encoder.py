"""The forward pass of a trained `FrameEncoder`, made for one frame at a time.

Each convolution is one matrix product: the patches of its input, copied side by side (im2col), and
all buffers made beforehand. On one frame most of the time of torch goes into everything around
the arithmetic; this takes a third of it (`benchmarks/perception/encoder_forward.py`).
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from torch import Tensor, nn

from .encoder import FrameEncoder


def _array(tensor: Tensor) -> np.ndarray:
    """A copy: later training of the encoder does not reach it."""
    return np.ascontiguousarray(tensor.detach().cpu().numpy()).copy()


class _Layer(NamedTuple):
    """A convolution and what it works on; views into three buffers.

    Attributes
    ----------
    inside : (C, H, W), its input within the padded buffer, whose border stays 0
    windows : (C, k, k, H', W'), the patches as a view into the padded buffer
    patches : the same shape, contiguous
    columns : (C k k, H' W'), the same memory as `patches`
    weight, bias : (C', C k k), (C', 1)
    out : (C', H' W')
    maps : (C', H', W'), the same memory as `out`
    """

    inside: np.ndarray
    windows: np.ndarray
    patches: np.ndarray
    columns: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    maps: np.ndarray


def _layer(convolution: nn.Conv2d, rows: int, columns: int) -> _Layer:
    (size, _), (stride, _) = convolution.kernel_size, convolution.stride
    assert isinstance(convolution.padding, tuple) and convolution.bias is not None
    pad = convolution.padding[0]
    before, after = convolution.in_channels, convolution.out_channels
    padded = np.zeros((before, rows + 2 * pad, columns + 2 * pad), np.float32)
    height, width = ((n + 2 * pad - size) // stride + 1 for n in (rows, columns))
    by_channel, by_row, by_column = padded.strides
    windows = as_strided(
        padded,
        (before, size, size, height, width),
        (by_channel, by_row, by_column, stride * by_row, stride * by_column),
        writeable=False,
    )
    patches = np.empty(windows.shape, np.float32)
    out = np.empty((after, height * width), np.float32)
    return _Layer(
        padded[:, pad : pad + rows, pad : pad + columns], windows, patches,
        patches.reshape(-1, height * width), _array(convolution.weight).reshape(after, -1),
        _array(convolution.bias)[:, None], out, out.reshape(after, height, width),
    )  # fmt: skip


class FrozenEncoder:
    """The same features as `encoder.encode` to float32 rounding; its weights are copied.

    Needs a BLAS with one thread to be fast: `driving.assembly.single_threaded`.
    """

    def __init__(self, encoder: FrameEncoder) -> None:
        self.shape, self.latent_size = encoder.shape, encoder.latent_size
        self._middle = np.float32(encoder.middle)
        rows, columns = encoder.shape[1:]
        self._layers: list[_Layer] = []
        for module in encoder.convolutions:
            if isinstance(module, nn.Conv2d):
                self._layers.append(_layer(module, rows, columns))
                rows, columns = self._layers[-1].maps.shape[1:]
        self._weight, self._bias = _array(encoder.linear.weight), _array(encoder.linear.bias)
        self._epsilon = np.float32(encoder.norm.eps)

    def encode(self, frame: np.ndarray) -> np.ndarray:
        """Features (latent,) float32 of one frame (C, H, W) float32."""
        maps = frame - self._middle
        for layer in self._layers:
            layer.inside[...] = maps
            np.copyto(layer.patches, layer.windows)
            np.matmul(layer.weight, layer.columns, out=layer.out)
            np.add(layer.out, layer.bias, out=layer.out)
            np.maximum(layer.out, 0.0, out=layer.out)
            maps = layer.maps
        features = self._weight @ maps.reshape(-1) + self._bias
        features -= features.mean()
        return features / np.sqrt(features @ features / np.float32(features.size) + self._epsilon)
