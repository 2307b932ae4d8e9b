"""Golden adapters: for layers of each kind that PEFT adapts, its names and axes of the factors, and what it gives beside the layer.

PEFT itself is not needed: its formula for each kind of layer is written out with PyTorch (Debian's python3-torch), in the names and axes of
its files. Numbers are by rule, v[i] = ((i * 7919) % 1009) / 1009 - 0.5. Writes peft.json.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

RANK, ALPHA = 2, 6


def numbers(shape, start=0):
    count = int(torch.tensor(shape).prod())
    values = [((i + start) * 7919 % 1009) / 1009 - 0.5 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def case(name, path, kind, x, weight, factors, layer):
    a_name, b_name = factors
    a, b = numbers(a_name[1], 100), numbers(b_name[1], 200)
    y = layer(x, weight, None) + ALPHA / RANK * layer(x, a, b)
    prefix = f"base_model.model.{path}."
    return {
        "name": name,
        "kind": kind,
        "x": x.flatten().tolist(),
        "weight": weight.flatten().tolist(),
        "names": {prefix + a_name[0]: list(a.shape), prefix + b_name[0]: list(b.shape)},
        "a": a.flatten().tolist(),
        "b": b.flatten().tolist(),
        "y": y.flatten().tolist(),
    }


def linear(x, weight, b):
    y = F.linear(x, weight)
    return y if b is None else F.linear(y, b)


def conv2d(x, weight, b):
    y = F.conv2d(x, weight, stride=2, padding=1)
    return y if b is None else F.conv2d(y, b)


def embedding(x, weight, b):
    return F.embedding(x, weight) if b is None else F.embedding(x, weight.T) @ b.T


def main():
    weights = ["lora_A.weight", "lora_B.weight"]
    cases = [
        case("dense", "head", "dense", numbers([3, 4]), numbers([5, 4], 7),
             [(weights[0], [RANK, 4]), (weights[1], [5, RANK])], linear),
        case("conv2d", "head", "conv2d", numbers([2, 3, 6, 5]), numbers([4, 3, 3, 3], 7),
             [(weights[0], [RANK, 3, 3, 3]), (weights[1], [4, RANK, 1, 1])], conv2d),
        case("embedding", "head", "embedding", torch.tensor([[0, 3, 6], [2, 2, 5]]), numbers([7, 4], 7),
             [("lora_embedding_A", [RANK, 7]), ("lora_embedding_B", [4, RANK])], embedding),
    ]
    out = pathlib.Path(__file__).with_name("peft.json")
    out.write_text(json.dumps({"rank": RANK, "alpha": ALPHA, "cases": cases}, separators=(",", ":")) + "\n")


main()
