"""Twenty steps of the networks of demo/models in PyTorch, at small sizes: in float64, with a rate for each layer and a short last batch.

Weights and data are made by formulas that networks.ts has too, from the words of `noise`, so that the file holds only what comes out: the
losses, how far each tensor moved, its moments and the running statistics. Of a long tensor every so many numbers are kept.

Fails where a relu comes too near to its switch, and where PyTorch's own f32 would end a quarter of the test's tolerance away.
"""

import json
import math
import platform
from pathlib import Path
from typing import Callable

import numpy as np
import torch
import torch.nn.functional as F
from tape import Tape, batch_norm, conv, dense, layer_norm, relu, relu6, uniform, up
from torch import Tensor
from trajectory import noise, save, through_f32

STEPS, SAMPLES, BATCH, MOST = 20, 11, 4, 96
MARGIN = 5e-7
# Of losses, relative, and of tensors, relative to the path. The test allows 1e-5 and 1e-4.
NEAR = {"loss": 2.5e-6, "tensor": 2.5e-5}
# What moves less than this in f64 has a gradient of 0: in f32 it is moved by rounding alone.
STILL = 1e-9


def resnet8(t: Tape, x: Tensor, classes=3, filters=4) -> Tensor:
    def normed(path: str, x: Tensor, filters: int, stride=1, kernel=3) -> Tensor:
        return batch_norm(t, f"{path}.norm", conv(t, f"{path}.conv", x, filters, kernel, stride))

    def block(path: str, x: Tensor, filters: int, stride: int) -> Tensor:
        inner = relu(t, normed(f"{path}.inner.one", x, filters, stride))
        inner = normed(f"{path}.inner.two", inner, filters)
        return relu(t, inner + (x if stride == 1 else normed(f"{path}.around", x, filters, stride, 1)))

    x = relu(t, normed("stem.one", x, filters))
    for i, stride in enumerate((1, 2, 2)):
        x = block(f"stage{i + 1}", x, filters * 2**i, stride)
    return dense(t, "head", x.mean((1, 2)), classes)


def mobilenet(t: Tape, x: Tensor, classes=3) -> Tensor:
    def normed(path: str, x: Tensor, filters: int, **options) -> Tensor:
        return relu6(t, batch_norm(t, f"{path}.norm", conv(t, f"{path}.conv", x, filters, **options)))

    x = normed("stem", x, 16, stride=2)
    for i, (filters, stride) in enumerate([(32, 1), (64, 2), (64, 1)]):
        x = normed(f"block{i + 1}.depthwise", x, x.shape[-1], stride=stride, depthwise=True)
        x = normed(f"block{i + 1}.pointwise", x, filters, kernel=1)
    return dense(t, "head", x.mean((1, 2)), classes)


def encoder(t: Tape, x: Tensor, filters: int) -> Tensor:
    x = relu(t, conv(t, "encoder.0", x, filters, stride=2, bias=True))
    return relu(t, conv(t, "encoder.2", x, 2 * filters, stride=2, bias=True)).flatten(1)


def decoder(t: Tape, code: Tensor, filters: int) -> Tensor:
    x = relu(t, dense(t, "decoder.0", code, 7 * 7 * 2 * filters)).reshape(-1, 7, 7, 2 * filters)
    return up(t, "decoder.5", relu(t, up(t, "decoder.3", x, filters)), 1)


def autoencoder(t: Tape, x: Tensor, code=4, filters=16) -> Tensor:
    return decoder(t, dense(t, "encoder.5", encoder(t, x, filters), code), filters)


def vae(t: Tape, x: tuple[Tensor, Tensor], filters=4) -> tuple[Tensor, Tensor, Tensor]:
    image, drawn = x
    seen = encoder(t, image, filters)
    mean, log_variance = (dense(t, name, seen, drawn.shape[1]) for name in ("mean", "logVariance"))
    return decoder(t, mean + torch.exp(log_variance / 2) * drawn, filters), mean, log_variance


def char_lstm(t: Tape, x: Tensor, vocabulary=11, units=6) -> Tensor:
    x = t.weight("tokens.weight", vocabulary, 64)[x]
    gates = 4 * units
    weight, bias = t.weight("read.weight", 64, gates).T, t.weight("read.bias", gates)
    tensors = [weight, t.weight("read.recurrentWeight", units, gates).T, bias, torch.zeros_like(bias)]
    zeros = [torch.zeros(1, len(x), units, dtype=t.dtype)] * 2
    y, *_ = torch.lstm(x, zeros, tensors, True, 1, 0.0, False, False, True)
    return dense(t, "head", y, vocabulary)


def char_gpt(t: Tape, x: Tensor, vocabulary=11, units=12, heads=3, blocks=2) -> Tensor:
    length = x.shape[1]
    table = t.weight("tokens.weight", vocabulary, units)
    x = table[x] + t.weight("places.weight", length, units)

    def attention(path: str, x: Tensor) -> Tensor:
        q, k, v = (
            dense(t, f"{path}.{name}", x, units).reshape(-1, length, heads, units // heads).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        scores = (q @ k.transpose(2, 3) / math.sqrt(units // heads)).masked_fill(hidden, -math.inf)
        return dense(t, f"{path}.output", (scores.softmax(-1) @ v).transpose(1, 2).flatten(2), units)

    for i in range(blocks):
        x = x + attention(f"block{i}.attention", layer_norm(t, f"block{i}.norm1", x))
        inner = dense(t, f"block{i}.hidden", layer_norm(t, f"block{i}.norm2", x), 4 * units)
        x = x + dense(t, f"block{i}.output", F.gelu(inner), units)
    return layer_norm(t, "norm", x) @ table.T


def classes_loss(y: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(y.flatten(0, -2), target.flatten())


def pixels_loss(y: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(y, target)


def vae_loss(y: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
    image, mean, log_variance = y
    divergence = (mean**2 + log_variance.exp() - 1 - log_variance).sum(1) / 2
    return F.binary_cross_entropy_with_logits(image, target, reduction="none").flatten(1).sum(1).mean() + divergence.mean()


def labels(stream: int, classes: int, *shape: int) -> np.ndarray:
    return (noise(stream, math.prod(shape)) % classes).astype(np.int64).reshape(shape)


def images(seed: int, *shape: int) -> tuple:
    return uniform(1000 * seed + 500, SAMPLES, *shape), labels(1000 * seed + 501, 3, SAMPLES)


def text(seed: int) -> tuple:
    return labels(1000 * seed + 500, 11, SAMPLES, 7), labels(1000 * seed + 501, 11, SAMPLES, 7)


def pictures(seed: int) -> tuple:
    x = uniform(1000 * seed + 500, SAMPLES, 28, 28, 1)
    return x, x


def drawn(seed: int) -> tuple:
    x, _ = pictures(seed)
    return (x, through_f32(4 * uniform(1000 * seed + 501, SAMPLES, 5) - 2)), x


ADAM, ADAMW = torch.optim.Adam, torch.optim.AdamW

# Forward pass, loss, data, rule, and the seed for which no relu is too near to its switch.
NETWORKS: dict[str, tuple[Callable, Callable, Callable, type, dict, int]] = {
    "resnet8": (resnet8, classes_loss, lambda seed: images(seed, 9, 9, 1), ADAMW, {"lr": 4e-3, "weight_decay": 0.1}, 2),
    "mobilenet": (mobilenet, classes_loss, lambda seed: images(seed, 10, 10, 1), ADAM, {"lr": 4e-3}, 2),
    "autoencoder": (autoencoder, pixels_loss, pictures, ADAM, {"lr": 2e-3}, 1),
    "vae": (vae, vae_loss, drawn, ADAMW, {"lr": 2e-3, "weight_decay": 0.1}, 1),
    "char-lstm": (char_lstm, classes_loss, text, ADAMW, {"lr": 0.01, "weight_decay": 0.1}, 1),
    "char-gpt": (char_gpt, classes_loss, text, ADAMW, {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-6}, 2),
}


def rows_of(data, rows: slice, dtype: torch.dtype):
    if isinstance(data, tuple):
        return tuple(rows_of(part, rows, dtype) for part in data)
    return torch.tensor(data[rows], dtype=torch.int64 if data.dtype == np.int64 else dtype)


def kept(values: Tensor, every: int) -> np.ndarray:
    return values.detach().double().numpy().ravel()[::every]


def every_of(size: int) -> int:
    """From so long a tensor every so many numbers are kept: a step that meets all places of each axis."""
    return next(step for step in range(-(-size // MOST), size + 2) if math.gcd(step, size) == 1)


def train(name: str, dtype: torch.dtype, seed: int | None = None):
    forward, loss_of, make_data, make, options, chosen = NETWORKS[name]
    seed = chosen if seed is None else seed
    x, y = make_data(seed)
    t = Tape(seed, dtype)
    forward(t, rows_of(x, slice(0, BATCH), dtype))  # makes the tensors
    t.states.clear()
    t.nearest = math.inf
    layers = list(dict.fromkeys(name.rsplit(".", 1)[0] for name in t.weights))
    # Each layer's own, from a quarter on.
    rates = {layer: round(0.25 + i / len(layers), 4) for i, layer in enumerate(layers)}
    start = {name: value.detach().clone() for name, value in t.weights.items()}
    decay = options.get("weight_decay", 0)
    groups = [
        {"params": [value], "lr": options["lr"] * rates[name.rsplit(".", 1)[0]], "weight_decay": decay if value.dim() > 1 else 0}
        for name, value in t.weights.items()
    ]
    optimizer = make(groups, **options)
    losses = []
    for step in range(STEPS):
        begin = step * BATCH % (-(-SAMPLES // BATCH) * BATCH)
        rows = slice(begin, min(begin + BATCH, SAMPLES))
        loss = loss_of(forward(t, rows_of(x, rows, dtype)), rows_of(y, rows, dtype))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    nearest, t.training = t.nearest, False
    with torch.no_grad():
        evaluated = loss_of(forward(t, rows_of(x, slice(0, SAMPLES), dtype)), rows_of(y, slice(0, SAMPLES), dtype)).item()
    tensors = {}
    for name, value in t.weights.items():
        moments = optimizer.state[value]
        found = [value - start[name], moments["exp_avg"], moments["exp_avg_sq"]]
        tensors[name] = np.stack([kept(one, every_of(value.numel())) for one in found])
    for name, value in t.states.items():
        tensors[name] = kept(value - float(name.endswith("Variance")), every_of(value.numel()))[None]
    made = {name: {"shape": list(value.shape), "every": every_of(value.numel())} for name, value in (t.weights | t.states).items()}
    return {"seed": seed, "losses": losses, "evaluated": evaluated, "rates": rates, "tensors": made}, tensors, nearest


def away(found: np.ndarray, expected: np.ndarray) -> float:
    """Of each row, the distance relative to its length; the largest."""
    return max(np.linalg.norm(f - e) / np.linalg.norm(e) for f, e in zip(found, expected))


def checked(name: str, seed: int | None = None):
    told, tensors, nearest = train(name, torch.float64, seed)
    short, found, _ = train(name, torch.float32, seed)
    still = [key for key, rows in tensors.items() if np.linalg.norm(rows[0]) < STILL]
    errors = {key: away(found[key], rows) for key, rows in tensors.items() if key not in still}
    losses = [*told["losses"], told["evaluated"]]
    loss = max(abs(a / b - 1) for a, b in zip([*short["losses"], short["evaluated"]], losses))
    worst = max(errors, key=errors.get)
    fits = nearest > MARGIN and loss < NEAR["loss"] and errors[worst] < NEAR["tensor"]
    print(f"{name} {told['seed']}: loss {losses[0]:.6f} -> {losses[-2]:.6f}, evaluated {losses[-1]:.6f};", end=" ")
    print(f"nearest {nearest:.1e}; f32 {loss:.1e} and {errors[worst]:.1e} ({worst}) away; still: {still}")
    return fits, told | {"still": still}, tensors


def main() -> None:
    torch.set_num_threads(1)  # Sums keep their order, so a second run writes the same bytes.
    metadata = {
        **{"source": "test/golden/networks.py", "torch": torch.__version__, "numpy": np.__version__},
        **{"python": platform.python_version(), "samples": str(SAMPLES), "batch": str(BATCH)},
    }
    all_tensors = {}
    for name, (*_, make, options, _) in NETWORKS.items():
        fits, told, tensors = checked(name)
        assert fits, "choose another seed"
        rule = make.__name__.lower()
        metadata[name] = json.dumps(told | {"rule": rule, "options": options}, separators=(",", ":"))
        all_tensors |= {f"{name}/{key}": rows for key, rows in tensors.items()}
    save(Path(__file__).with_name("networks.safetensors"), all_tensors, metadata)


if __name__ == "__main__":
    main()
