"""Golden values of LSTM and GRU: PyTorch's nn.LSTM and nn.GRU in float64, and its operators for a GRU whose reset gate stands before
the product, of which it has no layer.

Sequences are [B, T, C] and weights [in, out] as Gradus holds them; the two biases of an LSTM are added into one, those of a GRU stay two.
`cases` have inputs, outputs, and the gradients of the sum of y dy, h dh and c dc; `training` has 20 steps of SGD with momentum over a
GRU behind an LSTM with a rate of its own for each layer: losses, and how far each tensor moved.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def numbers(seed: int, *shape: int, scale: float = 1.0) -> torch.Tensor:
    """Normal numbers in steps of 1/256, so that f32 and the file hold them as they are."""
    values = np.random.default_rng(seed).normal(size=shape) * scale
    return torch.tensor(np.round(values * 256) / 256, requires_grad=True)


flat = lambda t: t.detach().numpy().ravel().tolist()
short = lambda t: [float(f"{v:.14g}") for v in flat(t)]
held = lambda t, gradient: {"shape": list(t.shape), "values": flat(t), "gradient": short(gradient)}


def tensors_of(kind: str, seed: int, inputs: int, units: int) -> dict:
    gates = 4 if kind == "lstm" else 3
    made = {
        "weight": numbers(seed, inputs, gates * units, scale=0.7),
        "recurrentWeight": numbers(seed + 1, units, gates * units, scale=0.7),
        "bias": numbers(seed + 2, gates * units, scale=0.5),
    }
    return made if kind != "gru" else {**made, "recurrentBias": numbers(seed + 3, gates * units, scale=0.5)}


def reset_before(tensors: dict, x: torch.Tensor, h: torch.Tensor) -> list:
    """Step by step: r and z of the hidden units, n of what r lets through of them."""
    weights, outputs = tensors["recurrentWeight"].chunk(3, dim=1), []
    for step in range(x.shape[1]):
        own = (x[:, step] @ tensors["weight"] + tensors["bias"]).chunk(3, dim=1)
        r, z = (torch.sigmoid(own[i] + h @ weights[i]) for i in range(2))
        n = torch.tanh(own[2] + (r * h) @ weights[2])
        h = (1 - z) * n + z * h
        outputs.append(h)
    return [torch.stack(outputs, dim=1), h]


def run(kind: str, tensors: dict, x: torch.Tensor, start: list):
    """PyTorch's own layer, called as a function of these tensors."""
    inputs, units = x.shape[2], tensors["recurrentWeight"].shape[0]
    if kind == "gruResetBefore":
        return reset_before(tensors, x, *(start or [torch.zeros(x.shape[0], units)]))
    layer = (nn.LSTM if kind == "lstm" else nn.GRU)(inputs, units, batch_first=True)
    second = tensors.get("recurrentBias", torch.zeros_like(tensors["bias"]))
    weights = [tensors["weight"].T, tensors["recurrentWeight"].T, tensors["bias"], second]
    for name in list(layer._parameters):
        del layer._parameters[name]
    for name, value in zip(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"], weights):
        setattr(layer, name, value)
    layer._flat_weights = weights
    states = [s[None] for s in start] or [torch.zeros(1, x.shape[0], units)] * (2 if kind == "lstm" else 1)
    y, last = layer(x, tuple(states) if kind == "lstm" else states[0])
    return [y, *(s[0] for s in (last if kind == "lstm" else [last]))]


def case(kind: str, batch: int, steps: int, inputs: int, units: int, begins: bool, reverse: bool = False) -> dict:
    seed = 100 * steps + 10 * units + len(kind)
    tensors = tensors_of(kind, seed, inputs, units)
    x = numbers(seed + 4, batch, steps, inputs)
    states = ["h", "c"] if kind == "lstm" else ["h"]
    start = [numbers(seed + 5 + i, batch, units) for i in range(len(states))] if begins else []
    outputs = run(kind, tensors, x.flip(1) if reverse else x, start)
    if reverse:
        outputs[0] = outputs[0].flip(1)
    gradients = [numbers(seed + 8 + i, *y.shape).detach() for i, y in enumerate(outputs)]
    sum((y * dy).sum() for y, dy in zip(outputs, gradients)).backward()
    given = {**tensors, "x": x, **{f"{name}0": s for name, s in zip(states, start)}}
    return {
        "kind": kind,
        "reverse": reverse,
        "inputs": {name: held(t, t.grad) for name, t in given.items()},
        "outputs": {
            name: {"shape": list(y.shape), "values": short(y), "gradient": flat(dy)}
            for name, y, dy in zip(["y", *states], outputs, gradients)
        },
    }


def training() -> dict:
    """[B, 6, 3] -> lstm(4) -> gru(3) -> dense(1), squared error, batches of 4 out of 12 in order."""
    tensors = {
        **{f"one.{name}": t for name, t in tensors_of("lstm", 1, 3, 4).items()},
        **{f"two.{name}": t for name, t in tensors_of("gru", 11, 4, 3).items()},
        "head.weight": numbers(21, 3, 1),
        "head.bias": numbers(22, 1),
    }
    start = {name: flat(t) for name, t in tensors.items()}
    x, y = numbers(31, 12, 6, 3).detach(), numbers(32, 12, 1).detach()
    rates = {"one": 0.1, "two": 0.05, "head": 0.02}
    groups = [{"params": [t], "lr": rates[name.split(".")[0]]} for name, t in tensors.items()]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    own = lambda layer: {name.split(".")[1]: t for name, t in tensors.items() if name.startswith(layer)}
    losses = []
    for step in range(20):
        rows = slice(step % 3 * 4, step % 3 * 4 + 4)
        hidden = run("lstm", own("one"), x[rows], [])[0]
        last = run("gru", own("two"), hidden, [])[1]
        loss = ((last @ tensors["head.weight"] + tensors["head.bias"] - y[rows]) ** 2).mean()
        losses.append(float(loss))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    moved = {name: short(t.detach().reshape(-1) - torch.tensor(start[name])) for name, t in tensors.items()}
    return {"x": flat(x), "y": flat(y), "rates": rates, "start": start, "losses": losses, "moved": moved}


cases = [
    case("lstm", 2, 1, 2, 3, False),
    case("lstm", 3, 5, 2, 3, True),
    case("lstm", 2, 5, 1, 4, True, reverse=True),
    case("lstm", 1, 33, 2, 2, False),
    case("gru", 2, 1, 2, 3, False),
    case("gru", 3, 5, 2, 3, True),
    case("gru", 2, 5, 1, 4, True, reverse=True),
    case("gru", 1, 33, 2, 2, False),
    case("gruResetBefore", 2, 1, 2, 3, False),
    case("gruResetBefore", 3, 5, 2, 3, True),
    case("gruResetBefore", 2, 5, 1, 4, True, reverse=True),
    case("gruResetBefore", 1, 33, 2, 2, False),
]
made = f"PyTorch {torch.__version__}, Python {platform.python_version()}"
out = {"made by": made, "cases": cases, "training": training()}
Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
