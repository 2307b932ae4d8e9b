"""Golden runs with several inputs, outputs, losses and weights: what PyTorch does, in float64.

`streams` has two inputs, two outputs and two losses, weighted by sample and by element; `alternate` has two losses that move
weights of their own in turn, as those of a generative adversarial network do (least squares, Mao et al. 2017).
All that goes in stands in the file, as numbers that f32 holds.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

SAMPLES, BATCH, STEPS, ROUNDS = 22, 8, 20, 20
ADAM = {"lr": 0.02, "betas": (0.9, 0.999), "eps": 1e-8}


def numbers(seed: int, *shape: int, spread: float = 1.0) -> list:
    """Normal numbers in steps of 1/1024, so that f32 and the file hold them as they are."""
    values = np.random.default_rng(seed).normal(size=shape) * spread
    return (np.round(values * 1024) / 1024).tolist()


def layer(seed: int, name: str, inputs: int, units: int) -> dict[str, list]:
    return {
        f"{name}.weight": numbers(seed, inputs, units, spread=0.5),
        f"{name}.bias": numbers(seed + 1, units, spread=0.1),
    }


def tensors(values: dict[str, list]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in values.items()}


def dense(x: torch.Tensor, p: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def moved(p: dict[str, torch.Tensor], start: dict[str, list]) -> dict[str, list]:
    return {name: (p[name].detach().numpy() - np.array(start[name])).ravel().tolist() for name in p}


def streams() -> dict:
    data = {
        "x": {"image": numbers(1, SAMPLES, 5), "age": numbers(2, SAMPLES, 3)},
        "y": {
            "kind": (np.arange(SAMPLES) * 7 % 4).tolist(),
            "size": numbers(3, SAMPLES, 2),
        },
        "weight": {
            "kind": np.abs(np.array(numbers(4, SAMPLES))).tolist(),
            "size": (np.abs(np.array(numbers(5, SAMPLES, 2))) * (np.arange(SAMPLES * 2).reshape(-1, 2) % 3 > 0)).tolist(),
        },
    }
    start = layer(10, "look", 5, 6) | layer(20, "ask", 3, 6) | layer(30, "kind", 6, 4) | layer(40, "size", 6, 2)
    p = tensors(start)
    # As Gradus does by itself: biases do not decay.
    decays = {"weight": 0.01, "bias": 0.0}
    groups = [{"params": [p[name] for name in p if name.endswith(end)], "weight_decay": decay} for end, decay in decays.items()]
    optimizer = torch.optim.AdamW(groups, **ADAM)
    losses = []
    for step in range(STEPS):
        first = step * BATCH % (-(-SAMPLES // BATCH) * BATCH)
        rows = slice(first, min(first + BATCH, SAMPLES))
        of = {key: {name: torch.tensor(value[rows], dtype=torch.float64) for name, value in part.items()} for key, part in data.items()}
        h = torch.tanh(dense(of["x"]["image"], p, "look") + dense(of["x"]["age"], p, "ask"))
        kind = F.cross_entropy(dense(h, p, "kind"), of["y"]["kind"].long(), reduction="none")
        size = (dense(h, p, "size") - of["y"]["size"]) ** 2
        weight = of["weight"]
        parts = [
            (weight["kind"] * kind).sum() / weight["kind"].sum(),
            0.5 * (weight["size"] * size).sum() / weight["size"].sum(),
        ]
        loss = parts[0] + parts[1]
        losses.append([loss.item(), parts[0].item(), parts[1].item()])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"samples": SAMPLES, "batch": BATCH, "data": data, "start": start, "losses": losses, "moved": moved(p, start)}


def alternate() -> dict:
    data = {"x": numbers(6, ROUNDS, BATCH, 2), "z": numbers(7, ROUNDS, BATCH, 4)}
    start = (
        layer(50, "generator.0", 4, 6) | layer(60, "generator.2", 6, 2)
        | layer(70, "discriminator.0", 2, 6) | layer(80, "discriminator.2", 6, 1)
    )
    p = tensors(start)
    own = {part: {name: value for name, value in p.items() if name.startswith(part)} for part in ("discriminator", "generator")}
    optimizers = {part: torch.optim.Adam(values.values(), **ADAM) for part, values in own.items()}

    def net(x: torch.Tensor, name: str) -> torch.Tensor:
        return dense(torch.tanh(dense(x, p, f"{name}.0")), p, f"{name}.2")

    losses = []
    for x, z in zip(data["x"], data["z"]):
        real, noise = torch.tensor(x, dtype=torch.float64), torch.tensor(z, dtype=torch.float64)
        both = []
        for part in ("discriminator", "generator"):
            fake = net(net(noise, "generator"), "discriminator")
            if part == "discriminator":
                loss = ((net(real, "discriminator") - 1) ** 2).mean() + (fake**2).mean()
            else:
                loss = ((fake - 1) ** 2).mean()
            optimizers[part].zero_grad()
            loss.backward()
            optimizers[part].step()
            both.append(loss.item())
        losses.append(both)
    return {"batch": BATCH, "data": data, "start": start, "losses": losses, "moved": moved(p, start)}


def main() -> None:
    torch.set_num_threads(1)  # Sums keep their order, so a second run writes the same bytes.
    made = {
        "source": "test/golden/streams.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "streams": streams(),
        "alternate": alternate(),
    }
    for name in ("streams", "alternate"):
        print(name, made[name]["losses"][0], "->", made[name]["losses"][-1])
    Path(__file__).with_name("streams.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
