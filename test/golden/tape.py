"""Tensors by name, and layers of Gradus in PyTorch: images are [B, H, W, C] and weights are held as Gradus holds them.

Weights start from words of `noise`, by a formula that networks.ts has too. Padding "same" is spelled out as in TensorFlow.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from trajectory import noise, through_f32


def uniform(stream: int, *shape: int) -> np.ndarray:
    """From 0 to 1, as f32 holds them."""
    return through_f32(noise(stream, math.prod(shape)) / 2**32).reshape(shape)


class Tape:
    """What scope is in Gradus: gives tensors by name, and makes those that are asked for the first time."""

    def __init__(self, seed: int, dtype: torch.dtype) -> None:
        self.seed, self.dtype = seed, dtype
        self.weights: dict[str, Tensor] = {}
        self.states: dict[str, Tensor] = {}
        self.training = True
        self.nearest = math.inf

    def weight(self, name: str, *shape: int) -> Tensor:
        if name not in self.weights:
            u = 2 * uniform(1000 * self.seed + len(self.weights), *shape) - 1
            *window, inputs, outputs = shape if len(shape) > 1 else (1, *shape)
            spread = math.sqrt(6 / (math.prod(window) * (inputs + outputs))) if len(shape) > 1 else 0.25
            start = through_f32(u * spread + name.endswith("gamma"))
            self.weights[name] = torch.tensor(start, dtype=self.dtype, requires_grad=True)
        return self.weights[name]

    def switch(self, z: Tensor, *places: float) -> None:
        """Notes how near an activation comes to where its slope jumps. What is exactly there stays there."""
        for place in places:
            away = (z.detach() - place).abs()
            self.nearest = min(self.nearest, away[away > 1e-13].min().item())


def relu(t: Tape, x: Tensor) -> Tensor:
    t.switch(x, 0)
    return F.relu(x)


def relu6(t: Tape, x: Tensor) -> Tensor:
    t.switch(x, 0, 6)
    return F.relu6(x)


def dense(t: Tape, path: str, x: Tensor, units: int) -> Tensor:
    return x @ t.weight(f"{path}.weight", x.shape[-1], units) + t.weight(f"{path}.bias", units)


def same(length: int, stride: int, kernel: int) -> tuple[int, int]:
    """What "same" puts before and after: the odd one after."""
    around = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return around // 2, around - around // 2


def conv(t: Tape, path: str, x: Tensor, filters: int, kernel=3, stride=1, bias=False, depthwise=False) -> Tensor:
    channels = x.shape[-1]
    shape = (channels, 1) if depthwise else (channels, filters)
    b = t.weight(f"{path}.weight", kernel, kernel, *shape)
    b = b.permute(2, 3, 0, 1) if depthwise else b.permute(3, 2, 0, 1)
    pads = (*same(x.shape[2], stride, kernel), *same(x.shape[1], stride, kernel))
    y = F.conv2d(F.pad(x.movedim(-1, 1), pads), b, stride=stride, groups=channels if depthwise else 1).movedim(1, -1)
    return y + t.weight(f"{path}.bias", filters) if bias else y


def up(t: Tape, path: str, x: Tensor, filters: int) -> Tensor:
    """conv2dTranspose by 2 with kernel 3, "same": of what it spreads the last row and column are cut off."""
    b = t.weight(f"{path}.weight", 3, 3, filters, x.shape[-1]).permute(3, 2, 0, 1)
    y = F.conv_transpose2d(x.movedim(-1, 1), b, stride=2)[:, :, :-1, :-1].movedim(1, -1)
    return y + t.weight(f"{path}.bias", filters)


def batch_norm(t: Tape, path: str, x: Tensor) -> Tensor:
    channels = x.shape[-1]
    mean = t.states.setdefault(f"{path}.movingMean", torch.zeros(channels, dtype=t.dtype))
    variance = t.states.setdefault(f"{path}.movingVariance", torch.ones(channels, dtype=t.dtype))
    gamma, beta = t.weight(f"{path}.gamma", channels), t.weight(f"{path}.beta", channels)
    return F.batch_norm(x.movedim(-1, 1), mean, variance, gamma, beta, training=t.training).movedim(1, -1)


def layer_norm(t: Tape, path: str, x: Tensor) -> Tensor:
    channels = x.shape[-1]
    return F.layer_norm(x, (channels,), t.weight(f"{path}.gamma", channels), t.weight(f"{path}.beta", channels))
