"""Golden values and gradients of layers that have no file of their own, as norms.py has them of normalizations: PyTorch in float64.

Padding "same" is spelled out as zeros before and after, the odd one after, as in TensorFlow.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from norms import affine, case, first, grouped, last, numbers
from tape import same


def padded(x, kernel, stride, value=0.0):
    """Channels first, under padding "same"."""
    sides = [same(length, step, size) for length, step, size in zip(x.shape[1:-1], stride, kernel)]
    return F.pad(first(x), [side for pair in reversed(sides) for side in pair], value=value)


def conv(padding="valid", stride=(1, 1), dilation=(1, 1), groups=1):
    """Filters are stored [.., in, out]."""

    def function(x, p):
        b = p["weight"].movedim((-1, -2), (0, 1))
        axes = len(b.shape) - 2
        spans = [(size - 1) * gap + 1 for size, gap in zip(b.shape[2:], dilation)]
        image = padded(x, spans, stride) if padding == "same" else first(x)
        convolve = F.conv1d if axes == 1 else F.conv2d
        y = convolve(image, b, stride=stride[:axes], dilation=dilation[:axes], groups=groups)
        return last(y) + p.get("bias", 0)

    return function


def spread(padding="valid", stride=(1, 1), groups=1):
    """conv2dTranspose: filters are stored [kh, kw, out, in], and "same" cuts off what it would have padded."""

    def function(x, p):
        b = p["weight"]
        # PyTorch wants [in, out / groups, kh, kw], where Gradus holds [kh, kw, out / groups, in].
        y = F.conv_transpose2d(first(x), b.permute(3, 2, 0, 1), stride=stride, groups=groups)
        if padding == "same":
            cuts = [same(length * step, step, size) for length, step, size in zip(x.shape[1:3], stride, b.shape)]
            (top, bottom), (left, right) = cuts
            y = y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]
        return last(y) + p.get("bias", 0)

    return function


def depthwise(x, b, padding="valid", stride=(1, 1), dilation=(1, 1)):
    """Filters [kh, kw, C, multiplier]: those of a channel stand beside each other."""
    kh, kw, channels, _ = b.shape
    plain = b.reshape(kh, kw, 1, -1)
    return conv(padding, stride, dilation, groups=channels)(x, {"weight": plain})


def separable(x, p):
    y = depthwise(x, p["depthwise.weight"], "same", (2, 2))
    return y @ p["pointwise.weight"][0, 0] + p["pointwise.bias"]


def averaged(x, kernel, stride):
    """The zeros of padding do not count."""
    count = F.avg_pool2d(padded(torch.ones_like(x), kernel, stride), kernel, stride)
    return last(F.avg_pool2d(padded(x, kernel, stride), kernel, stride) / count)


def tensors(seed: int, **shapes: tuple[int, ...]) -> dict[str, list]:
    return {name.replace("_", "."): numbers(seed + i, *shape, spread=0.5) for i, (name, shape) in enumerate(shapes.items())}


def layers() -> list[dict]:
    down = {"kernel": [3, 2], "stride": [2, 1], "padding": "same"}
    gapped = {"dilation": [2, 1], "groups": 2, "bias": False}
    long = {"kernel": 4, "stride": 2, "padding": "same"}
    wide = {"kernel": [2, 3], "stride": [2, 1]}
    return [
        case("dense", [4], [3, 2, 5], lambda x, p: x @ p["weight"] + p["bias"], tensors(1000, weight=(5, 4), bias=(4,)), 1),
        case("conv1d", [4, {"kernel": 5, "stride": 2, "padding": "same"}], [2, 7, 3], conv("same", (2,)), tensors(1010, weight=(5, 3, 4), bias=(4,)), 2),
        case("conv1d", [4, {"dilation": 2, "groups": 2}], [2, 8, 4], conv(dilation=(2,), groups=2), tensors(1020, weight=(3, 2, 4), bias=(4,)), 3),
        case("conv2d", [5, down], [2, 7, 5, 3], conv("same", (2, 1)), tensors(1030, weight=(3, 2, 3, 5), bias=(5,)), 4),
        case("conv2d", [6, gapped], [2, 6, 5, 4], conv(dilation=(2, 1), groups=2), tensors(1040, weight=(3, 3, 2, 6)), 5),
        case("conv2dTranspose", [3, {"stride": 2, "padding": "same"}], [2, 3, 4, 2], spread("same", (2, 2)), tensors(1050, weight=(3, 3, 3, 2), bias=(3,)), 6),
        case("conv2dTranspose", [2, long], [1, 4, 3, 5], spread("same", (2, 2)), tensors(1060, weight=(4, 4, 2, 5), bias=(2,)), 7),
        case("conv2dTranspose", [3, wide], [2, 3, 4, 2], spread(stride=(2, 1)), tensors(1070, weight=(2, 3, 3, 2), bias=(3,)), 8),
        case("conv2dTranspose", [6, {"groups": 2}], [2, 2, 3, 4], spread(groups=2), tensors(1080, weight=(3, 3, 3, 4), bias=(6,)), 9),
        case("depthwiseConv2d", [{"depthMultiplier": 2, "padding": "same"}], [2, 4, 5, 3], lambda x, p: depthwise(x, p["weight"], "same") + p["bias"], tensors(1090, weight=(3, 3, 3, 2), bias=(6,)), 10),
        case("depthwiseConv2d", [{"dilation": 2, "bias": False}], [2, 6, 5, 3], lambda x, p: depthwise(x, p["weight"], dilation=(2, 2)), tensors(1100, weight=(3, 3, 3, 1)), 11),
        case("separableConv2d", [4, {"stride": 2, "padding": "same", "depthMultiplier": 2}], [2, 5, 4, 3], separable, tensors(1110, depthwise_weight=(3, 3, 3, 2), pointwise_weight=(1, 1, 6, 4), pointwise_bias=(4,)), 12),
        case("maxPool2d", [3, {"stride": 2, "padding": "same"}], [2, 5, 6, 3], lambda x, p: last(F.max_pool2d(padded(x, (3, 3), (2, 2), -np.inf), 3, 2)), {}, 13),
        case("averagePool2d", [2, {"padding": "same"}], [2, 5, 3, 2], lambda x, p: averaged(x, (2, 2), (2, 2)), {}, 14),
        case("groupNorm", [4], [2, 3, 5, 12], grouped(4), affine(1120, 12), 15),
        case("groupNorm", [1], [3, 2, 7], grouped(1), affine(1130, 7), 16),
        case("groupNorm", [6], [2, 3, 2, 6], grouped(6), affine(1140, 6), 17, shift=10.0),
        case("glu", [], [3, 2, 6], lambda x, p: F.glu(x), {}, 18),
        case("prelu", [], [3, 2, 2, 5], lambda x, p: last(F.prelu(first(x), p["slope"])), tensors(1150, slope=(5,)), 19),
        case("swiglu", [4, {"bias": False}], [2, 3, 5], lambda x, p: F.silu(x @ p["gate.weight"]) * (x @ p["value.weight"]), tensors(1160, gate_weight=(5, 4), value_weight=(5, 4)), 20),
        case("relu", [], [3, 7], lambda x, p: F.relu(x), {}, 21),
        case("sigmoid", [], [3, 7], lambda x, p: torch.sigmoid(x), {}, 22),
        case("tanh", [], [3, 7], lambda x, p: torch.tanh(x), {}, 23),
        case("flatten", [], [2, 3, 2, 2], lambda x, p: x.flatten(1), {}, 24),
    ]


def main() -> None:
    made = {
        **{"source": "test/golden/layers.py", "torch": torch.__version__, "numpy": np.__version__},
        **{"python": platform.python_version(), "layers": layers()},
    }
    Path(__file__).with_name("layers.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
