"""Golden values of activations: what PyTorch gives in float64, and the gradients.

`ops` holds, for each op of one number and its attributes, f(x) and the gradient of mean(f(x) t) by x; `layers` those of layers with
weights: prelu and swiglu on [samples, places, channels], with the gradients of all weights and, summed over the samples, of x.
All that goes in stands in the file, as numbers that f32 holds.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

# Both sides of every kink and the kinks themselves, and numbers for which the formulas of books lose all digits.
POINTS = [-100, -88, -40, -20.5, -9, -5, -3, -2.875, -1, -0.375, -1e-4, -1e-30, 0, 1e-30, 1e-4, 0.375, 1, 2.875, 3, 5, 6, 7.5, 19.5, 100]
ABOVE = [1e-30, 1e-4, 0.0625, 0.375, 1, 2, 2.875, 7.5, 100]


def numbers(seed: int, *shape: int, spread: float = 1.0) -> np.ndarray:
    """Normal numbers in steps of 1/1024, so that f32 and the file hold them as they are."""
    return np.round(np.random.default_rng(seed).normal(size=shape) * spread * 1024) / 1024


def tensor(values, grad: bool = False) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


def op(name: str, f, points: list, **attributes) -> dict:
    given = np.float32(points).astype(np.float64)
    x, t = tensor(given, grad=True), tensor(1 + np.abs(numbers(1, len(given))))
    z = f(x)
    (z * t).mean().backward()
    return {
        **{"op": name, "attributes": attributes, "x": given.tolist(), "t": t.tolist()},
        **{"z": z.tolist(), "dx": x.grad.tolist()},
    }


def layer(name: str, f, weights: dict[str, np.ndarray]) -> dict:
    given = {name: tensor(value, grad=True) for name, value in weights.items()}
    x, t = tensor(numbers(2, 3, 2, 4), grad=True), None
    z = f(x, **{name.replace(".", "_"): value for name, value in given.items()})
    t = tensor(numbers(3, *z.shape))
    (z * t).mean().backward()
    return {
        **{"layer": name, "x": x.ravel().tolist(), "t": t.ravel().tolist(), "z": z.ravel().tolist()},
        **{"weights": {key: value.ravel().tolist() for key, value in given.items()}},
        "gradients": {
            **{key: value.grad.ravel().tolist() for key, value in given.items()},
            "x": x.grad.sum(0).ravel().tolist(),
        },
    }


def swiglu(x, gate_weight, gate_bias, value_weight, value_bias):
    return F.silu(x @ gate_weight + gate_bias) * (x @ value_weight + value_bias)


def main() -> None:
    torch.set_num_threads(1)
    made = {
        "source": "test/golden/activations.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "ops": [
            op("relu6", F.relu6, POINTS),
            op("leakyRelu", lambda x: F.leaky_relu(x, 0.01), POINTS, slope=0.01),
            op("leakyRelu", lambda x: F.leaky_relu(x, 0.3), POINTS, slope=0.3),
            op("elu", F.elu, POINTS, alpha=1),
            op("elu", lambda x: F.elu(x, 0.7), POINTS, alpha=0.7),
            op("selu", F.selu, POINTS),
            op("gelu", F.gelu, POINTS, approximate=False),
            op("gelu", lambda x: F.gelu(x, approximate="tanh"), POINTS, approximate=True),
            op("softplus", F.softplus, POINTS),
            op("mish", F.mish, POINTS),
            op("hardSigmoid", F.hardsigmoid, POINTS),
            # At 3 PyTorch gives the slope as 1.5 or as 1, by how many numbers there are.
            op("hardSwish", F.hardswish, [x for x in POINTS if x != 3]),
            op("silu", F.silu, POINTS),
            op("sin", torch.sin, POINTS),
            op("clip", lambda x: torch.clamp(x, -1, 3), POINTS, min=-1, max=3),
            op("clip", lambda x: torch.clamp(x, max=0.375), POINTS, max=0.375),
            *[op("pow", lambda x, p=p: x**p, ABOVE, exponent=p) for p in (0.5, -0.5, 1.7, -1.25)],
            *[op("pow", lambda x, p=p: x**p, [-7.5, -1, -0.375, *ABOVE[1:]], exponent=p) for p in (0, 1, 2, 3, -2)],
        ],
        "layers": [
            layer("prelu", lambda x, slope: F.prelu(x.transpose(1, 2), slope).transpose(1, 2), {"slope": numbers(4, 4)}),
            layer(
                "swiglu",
                swiglu,
                {
                    **{"gate.weight": numbers(5, 4, 5), "gate.bias": numbers(6, 5)},
                    **{"value.weight": numbers(7, 4, 5), "value.bias": numbers(8, 5)},
                },
            ),
        ],
    }
    text = json.dumps(made, separators=(",", ":"))
    assert "NaN" not in text and "Infinity" not in text
    Path(__file__).with_name("activations.json").write_text(text + "\n")
    print(len(text), "bytes")


if __name__ == "__main__":
    main()
