"""Golden values of convolutions and poolings with padding that is told, depthwise filters and counted zeros: PyTorch in float64.

Images [B, H, W, C] and filters [kh, kw, in, out] are written as Gradus holds them; `pads` are [top, bottom, left, right]. Each case has
its inputs, its output, and the gradients of the sum of the output times `dy`.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F


def numbers(seed: int, *shape: int) -> torch.Tensor:
    """Normal numbers in steps of 1/64, so that f32 and the file hold them as they are."""
    values = np.random.default_rng(seed).normal(size=shape)
    return torch.tensor(np.round(values * 64) / 64, requires_grad=True)


def nchw(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


def nhwc(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def padded(x: torch.Tensor, pads: list[int], value: float = 0.0) -> torch.Tensor:
    top, bottom, left, right = pads
    return F.pad(nchw(x), (left, right, top, bottom), value=value)


def conv(a, b, stride, padding, groups=1):
    return nhwc(F.conv2d(padded(a, padding), b.permute(3, 2, 0, 1), stride=stride, groups=groups))


def transposed(a, b, stride, padding):
    top, bottom, left, right = padding
    whole = F.conv_transpose2d(nchw(a), b.permute(3, 2, 0, 1), stride=stride)
    return nhwc(whole[:, :, top : whole.shape[2] - bottom, left : whole.shape[3] - right])


def depthwise(a, b, stride, padding, kernel):
    return conv(a, b.permute(0, 1, 3, 2), stride, padding, groups=a.shape[3])


def most(x, kernel, stride, padding):
    return nhwc(F.max_pool2d(padded(x, padding, -np.inf), kernel, stride))


def average(x, kernel, stride, padding, countPadding=False):
    sums = nhwc(F.avg_pool2d(padded(x, padding), kernel, stride))
    if countPadding:
        return sums
    return sums / nhwc(F.avg_pool2d(padded(torch.ones_like(x), padding), kernel, stride))


def case(op: str, make, shapes, attributes: dict) -> dict:
    inputs = [numbers(10 * i + len(op), *shape) for i, shape in enumerate(shapes)]
    y = make(*inputs, **attributes)
    dy = numbers(99, *y.shape).detach()
    (y * dy).sum().backward()
    flat = lambda t: t.detach().numpy().ravel().tolist()
    return {
        "op": op,
        "attributes": attributes,
        "inputs": [{"shape": list(x.shape), "values": flat(x), "gradient": flat(x.grad)} for x in inputs],
        "output": {"shape": list(y.shape), "values": flat(y), "gradient": flat(dy)},
    }


cases = [
    case("conv2d", conv, [(2, 5, 4, 2), (3, 2, 2, 3)], {"stride": [2, 1], "padding": [1, 2, 0, 1]}),
    case("conv2d", conv, [(1, 4, 5, 4), (2, 3, 2, 6)], {"stride": [1, 2], "padding": [0, 1, 2, 2], "groups": 2}),
    case("conv2dTranspose", transposed, [(2, 3, 4, 2), (3, 3, 2, 2)], {"stride": [2, 1], "padding": [1, 0, 1, 1]}),
    case("depthwiseConv2d", depthwise, [(2, 5, 6, 3), (3, 2, 3, 1)], {"stride": [1, 2], "padding": [1, 1, 0, 2], "kernel": [3, 2]}),
    case("depthwiseConv2d", depthwise, [(2, 6, 4, 4), (3, 3, 4, 1)], {"stride": [2, 1], "padding": [1, 0, 1, 1], "kernel": [3, 3]}),
    case("maxPool2d", most, [(2, 5, 4, 3)], {"kernel": [3, 2], "stride": [2, 1], "padding": [1, 2, 0, 1]}),
    case("averagePool2d", average, [(2, 5, 4, 3)], {"kernel": [3, 2], "stride": [2, 1], "padding": [1, 2, 0, 1]}),
    case("averagePool2d", average, [(1, 5, 4, 4)], {"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1, 1, 1], "countPadding": True}),
]

out = {"made by": f"PyTorch {torch.__version__}, Python {platform.python_version()}", "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
