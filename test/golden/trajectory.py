"""Golden training trajectories: what PyTorch does, in float64, to the workloads of demo/bench/workload.ts.

Every number that goes in is the f32 that Gradus starts from, so whatever separates a Gradus run from these files is
Gradus's own arithmetic. Parameters keep Gradus's layout throughout: all four rules work element by element, so only
the forward pass has to know that PyTorch would rather see NCHW images and [out, in, kh, kw] filters.
"""

import json
import math
import platform
import struct
from pathlib import Path
from typing import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 20
BATCHES = 4
CLASSES = 10
PATCH = 8
LIT_EVERY = 8
# f32 engines differ from f64 by some 1e-8 to 1e-7 where a relu or a pooling window decides; all decisions must be clearer.
MARGIN = 5e-7

Params = dict[str, Tensor]

# Written out in full, though Adam's are PyTorch's defaults: the files quote these settings to their readers.
ADAM = {"lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8}
RULES = {
    "sgd": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": False}),
    "nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, ADAM),
    "adamw": (torch.optim.AdamW, ADAM),
}

# One per layer, in forward order, shared by its weight and bias. All differ, so that no mix-up goes unseen.
LAYERS = [
    {"lr_scale": 0.25, "weight_decay": 0.1},
    {"lr_scale": 0.5, "weight_decay": 0.01},
    {"lr_scale": 1.0, "weight_decay": 0.0},
]


def noise(seed: int, count: int) -> np.ndarray:
    """The first words of stream `seed`, as in workload.ts: uint32 arrays wrap the way Math.imul does."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed * 0x85EBCA77 % 2**32)
    x = (x ^ (x >> 16)) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> 15)) * np.uint32(0x735A2D97)
    return x ^ (x >> 15)


def through_f32(values: np.ndarray) -> np.ndarray:
    """Float64 that holds what f32 could hold: the engines start from f32, and so must this."""
    return values.astype(np.float32).astype(np.float64)


def mlp(x: Tensor, p: Params) -> Tensor:
    x = F.relu(x @ p["fc1.weight"] + p["fc1.bias"])
    x = F.relu(x @ p["fc2.weight"] + p["fc2.bias"])
    return x @ p["fc3.weight"] + p["fc3.bias"]


def cnn(x: Tensor, p: Params) -> Tensor:
    x = x.permute(0, 3, 1, 2)
    for name in ("conv1", "conv2"):
        filters = p[f"{name}.weight"].permute(3, 2, 0, 1)
        z = F.conv2d(x, filters, p[f"{name}.bias"], padding=1)
        check_margin(z.detach())
        x = F.max_pool2d(F.relu(z), 2)
    return x.permute(0, 2, 3, 1).flatten(1) @ p["head.weight"] + p["head.bias"]


def check_margin(z: Tensor) -> None:
    """Fails where a relu, or the two largest of a pooling window, are too close to call in f32. Equal is not close:
    of equal numbers everybody takes the first."""
    windows = F.unfold(F.relu(z).flatten(0, 1).unsqueeze(1), 2, stride=2).sort(dim=1, descending=True).values
    apart = windows[:, 0] - windows[:, 1]
    nearest = min(z.abs().min().item(), apart[apart > 1e-13].min().item())
    assert nearest > MARGIN, f"a switch is only {nearest:.1e} away: choose other data in workload.ts and here"


class Workload:
    """One workload of workload.ts, under the same name and with the same numbers."""

    def __init__(
        self,
        forward: Callable[[Tensor, Params], Tensor],
        batch: int,
        sample: list[int],
        weights: dict[str, list[int]],
        kept: list[str],
    ) -> None:
        self.name = forward.__name__
        self.forward = forward
        self.input = [batch, *sample]
        self.weights = weights
        self.kept = kept
        """The rules whose displacements are written: a file in the repository should stay small."""

    def start(self) -> dict[str, np.ndarray]:
        """Starting values by tensor name; the order of the tensors picks the stream of each."""
        tensors = []
        for layer, shape in self.weights.items():
            *window, fan_in, fan_out = shape
            glorot = math.sqrt(6 / (math.prod(window) * fan_in + math.prod(window) * fan_out))
            tensors += [(f"{layer}.weight", shape, glorot), (f"{layer}.bias", [fan_out], 0.1)]
        return {
            name: through_f32((noise(1000 + i, math.prod(shape)) / 2**32 * 2 - 1) * spread).reshape(shape)
            for i, (name, shape, spread) in enumerate(tensors)
        }

    def patch(self, k: int) -> np.ndarray:
        """1 inside the lit square of every eighth image of batch k, else 0: workload.ts says why."""
        batch, height, width, _ = self.input
        place = noise(60 + k, batch)
        row = np.arange(height) - (place % (height - PATCH + 1)).astype(np.int64)[:, None]
        column = np.arange(width) - ((place >> 8) % (width - PATCH + 1)).astype(np.int64)[:, None]
        lit = ((row >= 0) & (row < PATCH))[:, :, None] & ((column >= 0) & (column < PATCH))[:, None, :]
        lit &= (np.arange(batch) % LIT_EVERY == 0)[:, None, None]
        return lit[..., None].astype(np.float64)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        k = step % BATCHES
        x = through_f32(noise(1 + 2 * k, math.prod(self.input)) / 2**32).reshape(self.input)
        if len(self.input) == 4:
            x *= self.patch(k)
        y = (noise(2 + 2 * k, self.input[0]) % CLASSES).astype(np.int64)
        return torch.from_numpy(x), torch.from_numpy(y)


WORKLOADS = [
    Workload(
        mlp, 64, [784], {"fc1": [784, 256], "fc2": [256, 128], "fc3": [128, 10]}, kept=["sgd", "adam", "adamw"]
    ),
    Workload(
        cnn, 32, [28, 28, 1], {"conv1": [3, 3, 1, 8], "conv2": [3, 3, 8, 16], "head": [784, 10]}, kept=list(RULES)
    ),
]


def train(workload: Workload, rule: str) -> tuple[list[float], dict[str, np.ndarray]]:
    """The loss before each update, and how far each tensor has moved in the end.

    Displacements, not final values: next to the weights themselves a wrong update would hide in the tolerance.
    """
    start = workload.start()
    params = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    make, options = RULES[rule]
    optimizer = make(
        [
            {
                "params": [params[f"{layer}.weight"], params[f"{layer}.bias"]],
                "lr": options["lr"] * setting["lr_scale"],
                "weight_decay": setting["weight_decay"],
            }
            for layer, setting in zip(workload.weights, LAYERS)
        ],
        **options,
    )
    losses = []
    for step in range(STEPS):
        x, y = workload.batch(step)
        loss = F.cross_entropy(workload.forward(x, params), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, {name: params[name].detach().numpy() - start[name] for name in start}


def save(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Safetensors: the length of a JSON header, the header padded to 8 bytes, then every tensor in turn, as f32."""
    header: dict[str, object] = {"__metadata__": metadata}
    data = b""
    for name, tensor in sorted(tensors.items()):
        begin = len(data)
        data += tensor.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main() -> None:
    torch.set_num_threads(1)  # Sums keep their order, so a second run writes the same bytes.
    for workload in WORKLOADS:
        settings = {
            "layers": dict(zip(workload.weights, LAYERS)),
            "rules": {rule: options for rule, (_, options) in RULES.items()},
        }
        metadata = {
            "source": "test/golden/trajectory.py",
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "steps": str(STEPS),
            "settings": json.dumps(settings),
        }
        tensors = {}
        for rule in RULES:
            losses, moved = train(workload, rule)
            metadata[f"losses.{rule}"] = json.dumps(losses)
            if rule in workload.kept:
                tensors |= {f"{rule}.{name}": value for name, value in moved.items()}
            print(f"{workload.name} {rule}: loss {losses[0]:.6f} -> {losses[-1]:.6f}")
        save(Path(__file__).with_name(f"{workload.name}.safetensors"), tensors, metadata)


if __name__ == "__main__":
    main()
