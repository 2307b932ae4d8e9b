"""Golden values and gradients of what moves numbers, of images between pixels and of embeddings: what PyTorch does, in float64.

Each case is a model with a squared error behind it. Where its input is numbers, `by.weight` of zeros is added to it first, so that its
gradient is that of the input. Images are [B, H, W, C] in the file. All that goes in are numbers that f32 holds.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Normal numbers in steps of 1/1024, so that f32 and the file hold them as they are."""
    return np.round(np.random.default_rng(seed).normal(size=shape) * 1024) / 1024


def tensor(values: np.ndarray, wanted: bool = False) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=wanted)


def flat(values: torch.Tensor) -> list:
    return values.detach().numpy().ravel().tolist()


def case(seed: int, x: np.ndarray, of, weights: dict | None = None) -> dict:
    """`of` gives the output of x and the weights."""
    tokens = x.dtype.kind == "i"
    p = {name: tensor(value, True) for name, value in (weights or {}).items()}
    start = {name: list(value.shape) for name, value in p.items()}
    if tokens:
        given = torch.tensor(x)
    else:
        p["by.weight"] = tensor(np.zeros(x.shape), True)
        given = tensor(x) + p["by.weight"]
    y = of(given, p)
    target = numbers(seed + 1000, *y.shape)
    loss = F.mse_loss(y, tensor(target))
    loss.backward()
    return {
        "input": list(x.shape),
        "output": list(y.shape),
        "x": x.ravel().tolist(),
        "target": target.ravel().tolist(),
        "shapes": start,
        "weights": {name: flat(p[name]) for name in start},
        "y": flat(y),
        "loss": loss.item(),
        "gradients": {name: flat(value.grad) for name, value in p.items()},
    }


def image(of):
    """A function of images [B, C, H, W] as one of images [B, H, W, C]."""
    return lambda x, p: of(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def up(**options):
    return image(lambda x: F.interpolate(x, **options))


def ops(x: torch.Tensor, p: dict) -> torch.Tensor:
    a = x[:, 1:].flip(2)[:, :, ::2]
    b = F.pad(x[:, :, 1:4], (1, 2, 0, 1), value=0.5)[:, :, :3]
    c = a.repeat(1, 2, 1)
    d = torch.tanh(b).repeat_interleave(2, dim=1)
    return torch.cat([a, b, c, d, x[:, -1:, :3], x[:, :1, 2:]], dim=1).permute(2, 0, 1).permute(1, 0, 2)


def waves(length: int, units: int) -> torch.Tensor:
    at = torch.arange(length, dtype=torch.float64)[:, None] / 10000.0 ** (torch.arange(0, units, 2, dtype=torch.float64) / units)
    return torch.stack([at.sin(), at.cos()], dim=2).reshape(length, -1)[:, :units]


def tied(x: torch.Tensor, p: dict) -> torch.Tensor:
    h = F.embedding(x, p["tokens.weight"]) + p["places.weight"][: x.shape[1]]
    return torch.tanh(h) @ p["tokens.weight"].T


TOKENS = np.array([[3, 0, 3, 6, 3], [1, 6, 0, 0, 5], [6, 6, 6, 6, 6]])

CASES = {
    "permute": lambda: case(1, numbers(1, 2, 3, 5), lambda x, p: x.permute(0, 2, 1)),
    "permute image": lambda: case(2, numbers(2, 2, 3, 2, 4), lambda x, p: x.permute(0, 3, 1, 2)),
    "reshape": lambda: case(3, numbers(3, 2, 12), lambda x, p: x.reshape(2, 3, 4)),
    "zeroPadding2d": lambda: case(4, numbers(4, 2, 3, 2, 3), image(lambda x: F.pad(x, (2, 1, 0, 1)))),
    "cropping2d": lambda: case(5, numbers(5, 2, 5, 4, 3), lambda x, p: x[:, 1:3, 1:]),
    "nearest": lambda: case(6, numbers(6, 1, 2, 3, 3), up(scale_factor=(2, 3), mode="nearest")),
    "bilinear": lambda: case(7, numbers(7, 2, 3, 2, 3), up(scale_factor=(2, 3), mode="bilinear", align_corners=False)),
    "bilinear fours": lambda: case(8, numbers(8, 1, 2, 3, 4), up(scale_factor=(3, 2), mode="bilinear", align_corners=False)),
    "bilinear aligned": lambda: case(9, numbers(9, 1, 3, 2, 2), up(scale_factor=(2, 4), mode="bilinear", align_corners=True)),
    "depthToSpace": lambda: case(10, numbers(10, 2, 2, 3, 4), image(lambda x: F.pixel_shuffle(x, 2))),
    "spaceToDepth": lambda: case(11, numbers(11, 2, 4, 6, 1), image(lambda x: F.pixel_unshuffle(x, 2))),
    "ops": lambda: case(12, numbers(12, 2, 3, 5), ops),
    "embedding": lambda: case(13, TOKENS, lambda x, p: F.embedding(x, p["weight"]), {"weight": numbers(13, 8, 3)}),
    "tied": lambda: case(
        14, TOKENS, tied, {"tokens.weight": numbers(14, 7, 4), "places.weight": numbers(15, 6, 4)}
    ),
    "sinusoidalPositions": lambda: case(16, numbers(16, 1, 6, 5), lambda x, p: x + waves(6, 5)),
}


def main() -> None:
    torch.set_num_threads(1)  # Sums keep their order, so a second run writes the same bytes.
    made = {
        "source": "test/golden/moves.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "cases": {name: make() for name, make in CASES.items()},
    }
    for name, one in made["cases"].items():
        print(name, one["input"], "->", one["output"], one["loss"])
    Path(__file__).with_name("moves.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
