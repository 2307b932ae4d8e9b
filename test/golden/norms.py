"""Normalizations and what stands with them: what PyTorch does, in float64.

`layers` holds, for each layer, its input, its weights, what comes out, and the gradients of 0.5 sum((y - t)^2) by input and weights; for
batch normalization also the running statistics after three batches. `training` is a small convolutional network with batch
normalization, 20 steps of momentum with another rate for each layer and a short last batch in every epoch: its weights, and where its
running statistics end. Images are [B, H, W, C], as in Gradus; all that goes in are numbers that f32 holds.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

SAMPLES, BATCH, STEPS, MOMENTUM = 19, 8, 20, 0.9
RATES = {"stem": 0.02, "norm": 0.05, "body": 0.01, "last": 0.03, "head": 0.04}


def numbers(seed: int, *shape: int, spread: float = 1.0, shift: float = 0.0) -> list:
    """Normal numbers in steps of 1/128, so that f32 and the file hold them as they are."""
    values = np.random.default_rng(seed).normal(size=shape) * spread + shift
    return (np.round(values * 128) / 128).tolist()


def tensor(values: list, grad: bool = False) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


def first(x: torch.Tensor) -> torch.Tensor:
    """Channels behind the batch, as PyTorch has them."""
    return x.movedim(-1, 1)


def last(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(1, -1)


def flat(x: torch.Tensor) -> list:
    return [float(f"{v:.8g}") for v in x.detach().reshape(-1).tolist()]


def case(layer: str, args: list, shape: list[int], function, weights: dict[str, list], seed: int, shift: float = 0.0) -> dict:
    x = numbers(seed, *shape, shift=shift)
    given, p = tensor(x, True), {name: tensor(value, True) for name, value in weights.items()}
    y = function(given, p)
    target = numbers(seed + 500, *y.shape)
    (0.5 * ((y - tensor(target)) ** 2).sum()).backward()
    gradients = {"x": flat(given.grad)} | {name: flat(value.grad) for name, value in p.items()}
    return {
        **{"layer": layer, "args": args, "shape": shape, "out": list(y.shape), "x": np.array(x).ravel().tolist()},
        **{"target": np.array(target).ravel().tolist(), "y": flat(y), "gradients": gradients},
        "weights": {name: np.array(value).ravel().tolist() for name, value in weights.items()},
    }


def affine(seed: int, channels: int) -> dict[str, list]:
    return {"gamma": numbers(seed, channels, spread=0.5, shift=1.0), "beta": numbers(seed + 1, channels)}


def batch_norm(seed: int, shape: list[int], shift: float = 0.0, **options) -> dict:
    """Three batches, of which the last is the one whose values and gradients are kept."""
    channels = shape[-1]
    norm = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d if len(shape) == 4 else torch.nn.BatchNorm1d
    layer = norm(channels, eps=options.get("eps", 1e-5), momentum=1 - options.get("momentum", 0.9), affine=False).double()
    batches = [numbers(seed + 100 + i, *shape, shift=shift) for i in range(2)]
    for batch in batches:
        layer(first(tensor(batch)))

    def function(x, p):
        y = last(layer(first(x)))
        return y * p.get("gamma", torch.ones(())) + p.get("beta", torch.zeros(()))

    weights = affine(seed + 10, channels)
    if options.get("scale") is False:
        del weights["gamma"]
    if options.get("offset") is False:
        del weights["beta"]
    made = case("batchNorm", [options], shape, function, weights, seed, shift)
    before = [np.array(batch).ravel().tolist() for batch in batches]
    return made | {"before": before, "states": {"movingMean": flat(layer.running_mean), "movingVariance": flat(layer.running_var)}}


def layers() -> list[dict]:
    return [
        batch_norm(1, [7, 3]),
        batch_norm(2, [3, 2, 3, 4], momentum=0.75, eps=0.01),
        batch_norm(3, [4, 5, 3], scale=False),
        batch_norm(4, [5, 4], offset=False, shift=50.0),
        batch_norm(5, [4, 3], scale=False, offset=False),
        case("layerNorm", [{}], [3, 2, 5], lambda x, p: F.layer_norm(x, (5,), p["gamma"], p["beta"]), affine(20, 5), 21),
        case("layerNorm", [{"offset": False, "eps": 0.25}], [3, 4], lambda x, p: F.layer_norm(x, (4,), p["gamma"], eps=0.25), {"gamma": affine(22, 4)["gamma"]}, 23),
        case("layerNorm", [{"scale": False}], [3, 4], lambda x, p: F.layer_norm(x, (4,)) + p["beta"], {"beta": numbers(24, 4)}, 25),
        case("layerNorm", [{}], [1, 130], lambda x, p: F.layer_norm(x, (130,), p["gamma"], p["beta"]), affine(26, 130), 27, shift=20.0),
        # Zhang and Sennrich's formula: PyTorch 1.13 has no layer of it.
        case("rmsNorm", [{"eps": 0.001}], [2, 2, 6], lambda x, p: x / ((x**2).mean(-1, keepdim=True) + 0.001).sqrt() * p["gamma"], {"gamma": affine(28, 6)["gamma"]}, 29),
        case("groupNorm", [2], [2, 3, 2, 6], grouped(2), affine(30, 6), 31),
        case("groupNorm", [3, {"eps": 0.01}], [3, 5, 3], grouped(3, 0.01), affine(32, 3), 33),
        case("softmax", [], [3, 2, 5], lambda x, p: x.softmax(-1), {}, 34),
        case("logSoftmax", [], [4, 3], lambda x, p: x.log_softmax(-1), {}, 35),
        case("globalAveragePool2d", [], [2, 3, 2, 3], lambda x, p: x.mean((1, 2)), {}, 36),
        case("globalMaxPool2d", [], [2, 3, 2, 3], lambda x, p: x.flatten(1, 2).max(1).values, {}, 37),
        case("globalAveragePool1d", [], [2, 4, 3], lambda x, p: x.mean(1), {}, 38),
        case("globalMaxPool1d", [], [2, 4, 3], lambda x, p: x.max(1).values, {}, 39),
        case("maxPool1d", [2], [2, 5, 3], lambda x, p: last(F.max_pool1d(first(x), 2)), {}, 40),
        case("averagePool1d", [3, {"stride": 1}], [2, 5, 2], lambda x, p: last(F.avg_pool1d(first(x), 3, stride=1)), {}, 41),
        case("averagePool1d", [3, {"stride": 1, "padding": "same"}], [2, 4, 2], lambda x, p: last(F.avg_pool1d(first(x), 3, stride=1, padding=1, count_include_pad=False)), {}, 42),
    ]


def grouped(groups: int, eps: float = 1e-5):
    return lambda x, p: last(F.group_norm(first(x), groups, p["gamma"], p["beta"], eps=eps))


def training() -> dict:
    """conv, batch norm, relu; conv, batch norm, relu, mean; dense. PyTorch's names are translated."""
    data = {"x": numbers(900, SAMPLES, 5, 5, 2), "y": (np.arange(SAMPLES) * 5 % 3).tolist()}
    start = {
        "stem.weight": numbers(901, 3, 3, 2, 4, spread=0.3),
        "norm.gamma": numbers(902, 4, spread=0.25, shift=1.0),
        "norm.beta": numbers(903, 4, spread=0.25),
        "body.weight": numbers(904, 3, 3, 4, 5, spread=0.25),
        "last.gamma": numbers(905, 5, spread=0.25, shift=1.0),
        "last.beta": numbers(906, 5, spread=0.25),
        "head.weight": numbers(907, 5, 3, spread=0.5),
        "head.bias": numbers(908, 3, spread=0.1),
    }
    p = {name: tensor(value, True) for name, value in start.items()}
    running = {name: [torch.zeros(size).double(), torch.ones(size).double()] for name, size in (("norm", 4), ("last", 5))}
    groups = [{"params": [value], "lr": RATES[name.split(".")[0]]} for name, value in p.items()]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=MOMENTUM)

    def convolved(x, name):
        return F.conv2d(x, p[f"{name}.weight"].permute(3, 2, 0, 1), padding=1)

    def normed(x, name):
        mean, variance = running[name]
        return F.batch_norm(x, mean, variance, p[f"{name}.gamma"], p[f"{name}.beta"], training=True, momentum=0.1, eps=1e-5)

    losses = []
    for step in range(STEPS):
        begin = step * BATCH % (-(-SAMPLES // BATCH) * BATCH)
        x = first(tensor(data["x"][begin : begin + BATCH]))
        y = torch.tensor(data["y"][begin : begin + BATCH])
        h = torch.relu(normed(convolved(x, "stem"), "norm"))
        h = torch.relu(normed(convolved(h, "body"), "last")).mean(dim=(2, 3))
        loss = F.cross_entropy(h @ p["head.weight"] + p["head.bias"], y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    moved = {name: flat(p[name] - tensor(start[name])) for name in p}
    states = {f"{name}.{word}": flat(value) for name, both in running.items() for word, value in zip(("movingMean", "movingVariance"), both)}
    x = first(tensor(data["x"]))

    def rested(x, name):
        mean, variance = running[name]
        return F.batch_norm(x, mean, variance, p[f"{name}.gamma"], p[f"{name}.beta"], training=False, eps=1e-5)

    h = torch.relu(rested(convolved(torch.relu(rested(convolved(x, "stem"), "norm")), "body"), "last")).mean(dim=(2, 3))
    predicted = flat(h @ p["head.weight"] + p["head.bias"])
    return {
        **{"samples": SAMPLES, "batch": BATCH, "momentum": MOMENTUM, "rates": RATES, "data": data, "start": start},
        **{"losses": losses, "moved": moved, "states": states, "predicted": predicted},
    }


def main() -> None:
    torch.set_num_threads(1)  # Sums keep their order, so a second run writes the same bytes.
    made = {
        "source": "test/golden/norms.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "layers": layers(),
        "training": training(),
    }
    print("training", made["training"]["losses"][0], "->", made["training"]["losses"][-1])
    Path(__file__).with_name("norms.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
