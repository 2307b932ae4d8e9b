#!/usr/bin/env python3
"""One step and twenty of networks that others trained, in PyTorch and f64, with a rate for each group of layers: losses, and how each
tensor and statistic went. The networks are those of demo/data.json, in the folder of GRADUS_DATA or beside the checkout.
Where `single`, it fails if PyTorch's own f32 ends a half of the tests' tolerance away or a relu comes too near to its switch. Live batch
norms of four samples are beyond that: 20 layers of them part f32 from f64 within ten steps, so these are held against f64 alone.
Usage: /usr/bin/python3 test/golden/families.py [NAME ...]"""

import json
import math
import os
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tape import same
from trajectory import noise

here = pathlib.Path(__file__).parent
data = pathlib.Path(os.environ.get("GRADUS_DATA", here.parent.parent.parent / "shared" / "data"))
STEPS, SIGNS = 20, 8
# Of losses and of tensors' ways, relative: a half of what the test allows.
NEAR = {"loss": 5e-6, "tensor": 5e-5}
# Less than this from its switch, a relu may fall to its other side by the rounding of sums in another order, which costs a tensor 1e-4 of its way.
MARGIN = 2e-6


class Network:
    """Tensors by name; `named` and `turned` say how Gradus calls and lays them out. `rates`: (prefix, rate), of which the first that fits counts, 0 for what rests."""

    rates: list
    single = True
    optimizer = staticmethod(lambda groups: torch.optim.Adam(groups, eps=1e-4))
    named = staticmethod(lambda name: name)
    turned = staticmethod(lambda value: value)

    def __init__(self, dtype):
        self.dtype, self.nearest, self.states = dtype, math.inf, {}
        self.weights = {name: nn.Parameter(value.to(dtype)) for name, value in self.read().items()}

    def switched(self, x, *places):
        """Notes how near an activation comes to where its slope jumps. What is exactly there stays there."""
        for place in places:
            away = (x.detach() - place).abs()
            self.nearest = min(self.nearest, away[away > 1e-13].min().item())
        return x


def rule(count, start):
    """The whole numbers of the data page's rule."""
    return (torch.arange(count) + start) * 7919 % 1009


def images(step, shape, scale, shift, seed):
    count = math.prod(shape)
    return rule(count, count * step + seed).double().div(1009).mul(scale).add(shift).float().reshape(shape)


def tokens(step, batch, length, vocabulary):
    """What is read and what follows it."""
    count = batch * (length + 1)
    x = (rule(count, count * step) % vocabulary).reshape(batch, length + 1)
    return x[:, :-1], x[:, 1:]


def safetensors(path):
    raw = (data / path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8 : 8 + size])
    return {
        name: torch.from_numpy(np.frombuffer(raw[8 + size + of["data_offsets"][0] : 8 + size + of["data_offsets"][1]], "<f4").copy()).reshape(of["shape"])
        for name, of in head.items()
        if name != "__metadata__"
    }


class ResNet20(Network):
    """Batch norms live, in PyTorch's names and forms, on images of 16 x 16."""

    rates = [("linear", 6e-4), ("layer3", 3e-4), ("layer2", 2e-4), ("layer1", 1.2e-4), ("", 3e-4)]
    optimizer = staticmethod(lambda groups: torch.optim.SGD(groups, lr=1, momentum=0.9))
    live, seed, single = True, 0, False

    @staticmethod
    def named(name):
        kinds = {"weight": "gamma", "bias": "beta", "running_mean": "movingMean", "running_var": "movingVariance"}
        layer, kind = name.rsplit(".", 1)
        return f"{layer}.{kinds[kind]}" if "bn" in layer else name

    @staticmethod
    def turned(value):
        return value.permute(2, 3, 1, 0) if value.dim() == 4 else value.t()

    def read(self):
        tensors = safetensors("resnet20-cifar10/model.safetensors")
        self.states = {name: value.to(self.dtype) for name, value in tensors.items() if "running" in name}
        return {name: value for name, value in tensors.items() if "running" not in name and "num_batches" not in name}

    def norm(self, name, x):
        mean, variance = self.states[f"{name}.running_mean"], self.states[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], self.live)

    def forward(self, x):
        relu = lambda x: F.relu(self.switched(x, 0))
        conv = lambda name, x, stride=1: F.conv2d(x, self.weights[f"{name}.weight"], None, stride, 1)
        x = relu(self.norm("bn1", conv("conv1", x)))
        for stage in (1, 2, 3):
            for i in range(3):
                at, stride = f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1
                y = relu(self.norm(f"{at}.bn1", conv(f"{at}.conv1", x, stride)))
                y = self.norm(f"{at}.bn2", conv(f"{at}.conv2", y))
                if stride == 2:
                    more = y.shape[1] // 4
                    x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more, more))
                x = relu(y + x)
        return F.linear(x.mean((2, 3)), self.weights["linear.weight"], self.weights["linear.bias"])

    def loss(self, step):
        x = images(step, (4, 16, 16, 3), 4, -2, self.seed).to(self.dtype).permute(0, 3, 1, 2)
        return F.cross_entropy(self.forward(x), torch.arange(4) * 3 % 10)


class ResNet20Frozen(ResNet20):
    """Batch norms frozen: weights and statistics rest."""

    rates = [(f"layer{i}.{j}.bn", 0) for i in (1, 2, 3) for j in range(3)]
    rates += [("bn1", 0), ("linear", 2e-3), ("layer3", 1e-3), ("layer2", 7e-4), ("layer1", 4e-4), ("", 1e-3)]
    live, seed, single = False, 574, True


class MobileNet(Network):
    """Keras' MobileNet v1 0.25 as TensorFlow.js has it, on images of 48 x 48, without its dropout: odd padding at the end, variances
    divided by n, 0.99 of what runs is kept."""

    rates = [("conv_preds", 1e-2), ("conv_pw_1", 1e-4), ("conv_dw_1", 6e-5), ("conv_pw", 4e-5), ("conv_dw", 3e-5), ("", 1e-6)]
    optimizer = staticmethod(ResNet20.optimizer)
    live, seed, single = True, 0, False
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]

    def read(self):
        folder = data / "mobilenet-v1-025"
        names = {"kernel": "weight", "depthwise_kernel": "weight", "moving_mean": "movingMean", "moving_variance": "movingVariance"}
        made = {}
        for group in json.loads((folder / "model.json").read_text())["weightsManifest"]:
            raw = b"".join((folder / path).read_bytes() for path in group["paths"])
            for of in group["weights"]:
                count = math.prod(of["shape"])
                value = torch.from_numpy(np.frombuffer(raw[: 4 * count], "<f4").copy()).reshape(of["shape"])
                raw = raw[4 * count :]
                *layer, own = of["name"].split("/")
                made[f"{layer[-1]}.{names.get(own, own)}"] = value
        self.states = {name: value.to(self.dtype) for name, value in made.items() if ".moving" in name}
        return {name: value for name, value in made.items() if ".moving" not in name}

    def normed(self, name, x):
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        for kind, value in (("movingMean", mean), ("movingVariance", variance)):
            key = f"{name}_bn.{kind}"
            self.states[key] = 0.99 * self.states[key] + 0.01 * value.detach()
        each = lambda v: v[:, None, None]
        y = (x - each(mean)) / each((variance + 1e-3).sqrt())
        y = y * each(self.weights[f"{name}_bn.gamma"]) + each(self.weights[f"{name}_bn.beta"])
        return F.relu6(self.switched(y, 0, 6))

    def conv(self, name, x, stride=1, groups=1):
        kernel = self.weights[f"{name}.weight"]
        size = kernel.shape[0]
        pads = (*same(x.shape[3], stride, size), *same(x.shape[2], stride, size))
        order = (3, 2, 0, 1) if groups == 1 else (2, 3, 0, 1)
        return F.conv2d(F.pad(x, pads), kernel.permute(*order), None, stride, 0, 1, groups)

    def loss(self, step):
        x = images(step, (4, 48, 48, 3), 2, -1, self.seed).to(self.dtype).permute(0, 3, 1, 2)
        x = self.normed("conv1", self.conv("conv1", x, 2))
        for i, stride in enumerate(self.strides, 1):
            x = self.normed(f"conv_dw_{i}", self.conv(f"conv_dw_{i}", x, stride, x.shape[1]))
            x = self.normed(f"conv_pw_{i}", self.conv(f"conv_pw_{i}", x))
        y = x.mean((2, 3)) @ self.weights["conv_preds.weight"][0, 0] + self.weights["conv_preds.bias"]
        return F.cross_entropy(y, (torch.arange(4) * 250 + 7 * step) % 1000)


class TinyStories(Network):
    """A Llama, whose names are Meta's; matrices are turned to [in, out], as Gradus has them."""

    rates = [("tok_embeddings", 3e-4), ("layers.0.attention_norm", 2e-3), ("layers.1.attention_norm", 2e-3), ("layers.4", 1e-3), ("layers.3", 8e-4), ("layers.2", 6e-4), ("layers", 4e-4), ("", 2e-3)]

    def read(self):
        turned = lambda name, value: value.T if value.dim() == 2 and not name.startswith("tok") else value
        return {name: turned(name, value).contiguous() for name, value in safetensors("tinystories-260k/model.safetensors").items()}

    def norm(self, name, x):
        return x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * self.weights[f"{name}.weight"]

    @staticmethod
    def turn(x):
        """Each pair of neighbours turns by its place times 10000^(-2i/8)."""
        length, width = x.shape[1], x.shape[3]
        angle = torch.arange(length).double()[:, None] * 10000.0 ** (-torch.arange(0, width, 2).double() / width)
        pairs = torch.view_as_complex(x.reshape(*x.shape[:3], width // 2, 2).contiguous())
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)[:, None].to(pairs.dtype)).flatten(3)

    def loss(self, step):
        w = self.weights
        x, y = tokens(step, 4, 16, 512)
        x = w["tok_embeddings.weight"][x]
        hidden = torch.full((16, 16), -math.inf, dtype=self.dtype).triu(1)
        for i in range(5):
            at = f"layers.{i}"
            z = self.norm(f"{at}.attention_norm", x)
            q, k, v = ((z @ w[f"{at}.attention.{name}.weight"]).reshape(4, 16, -1, 8) for name in ("wq", "wk", "wv"))
            q, k = self.turn(q), self.turn(k)
            # Two queries share a key.
            q, k, v = (part.transpose(1, 2) for part in (q, k.repeat_interleave(2, 2), v.repeat_interleave(2, 2)))
            z = ((q @ k.transpose(2, 3)) / math.sqrt(8) + hidden).softmax(-1) @ v
            x = x + z.transpose(1, 2).flatten(2) @ w[f"{at}.attention.wo.weight"]
            z = self.norm(f"{at}.ffn_norm", x)
            z = F.silu(z @ w[f"{at}.feed_forward.w1.weight"]) * (z @ w[f"{at}.feed_forward.w3.weight"])
            x = x + z @ w[f"{at}.feed_forward.w2.weight"]
        logits = self.norm("norm", x) @ w["tok_embeddings.weight"].T
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())


class CharRnn(Network):
    """TensorFlow's BasicLSTMCell: gates i j f o on [x, h], and 1 is added to the forget gate. PyTorch's order is i f g o."""

    rates = [("tokens", 1e-3), ("read.", 4e-4), ("read2", 6e-4), ("", 2e-3)]

    def read(self):
        folder = data / "charrnn" / "shakespeare"
        manifest = json.loads((folder / "manifest.json").read_text())
        of = lambda name: torch.from_numpy(np.fromfile(folder / manifest[name]["filename"], "<f4")).reshape(manifest[name]["shape"])
        made = {"tokens.weight": of("embedding")}
        for i, name in enumerate(("read", "read2")):
            cell = f"rnnlm/multi_rnn_cell/cell_{i}/basic_lstm_cell"
            i_, j, f, o = of(f"{cell}/weights").chunk(4, 1)
            whole = torch.cat([i_, f, j, o], 1)
            made[f"{name}.weight"], made[f"{name}.recurrentWeight"] = whole[:128].clone(), whole[128:].clone()
            i_, j, f, o = of(f"{cell}/biases").chunk(4)
            made[f"{name}.bias"] = torch.cat([i_, f + 1, j, o])
        return made | {"head.weight": of("rnnlm/softmax_w"), "head.bias": of("rnnlm/softmax_b")}

    def loss(self, step):
        w = self.weights
        x, y = tokens(step, 4, 16, 65)
        x = w["tokens.weight"][x]
        start = torch.zeros(1, 4, 128, dtype=self.dtype)
        for name in ("read", "read2"):
            bias = w[f"{name}.bias"]
            own = [w[f"{name}.weight"].T, w[f"{name}.recurrentWeight"].T, bias, torch.zeros_like(bias)]
            x = torch.lstm(x, (start, start), own, True, 1, 0.0, False, False, True)[0]
        return F.cross_entropy((x @ w["head.weight"] + w["head.bias"]).flatten(0, 1), y.flatten())


FAMILIES = {"resnet20": ResNet20, "resnet20-frozen": ResNet20Frozen, "mobilenet": MobileNet, "tinystories": TinyStories, "char-rnn": CharRnn}


def ways(network, start):
    """Of each tensor the length of its way, and the sums of it under signs that make the error of every number count."""
    made = {}
    for name, value in [*network.weights.items(), *network.states.items()]:
        if name in network.weights and not network.weights[name].requires_grad:
            continue
        way = network.turned(value.detach().double() - start[name]).flatten().numpy()
        signs = [np.where(noise(k, way.size) >> 31, -1.0, 1.0) for k in range(SIGNS)]
        made[network.named(name)] = [float(np.linalg.norm(way)), *(float(one @ way) for one in signs)]
    return made


def trained(make, dtype):
    network = make(dtype)
    groups = {}
    for name, parameter in network.weights.items():
        rate = next(rate for prefix, rate in network.rates if name.startswith(prefix))
        parameter.requires_grad_(rate > 0)
        if rate > 0:
            groups.setdefault(rate, []).append(parameter)
    optimizer = network.optimizer([{"params": own, "lr": rate} for rate, own in groups.items()])
    start = {name: value.detach().double().clone() for name, value in [*network.weights.items(), *network.states.items()]}
    losses, told = [], []
    for step in range(STEPS):
        loss = network.loss(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step in (0, STEPS - 1):
            told.append({name: way for name, way in ways(network, start).items() if way[0] > 0})
    return losses, told, network.nearest


def away(one, other):
    """How far apart two ways are, of the second's length."""
    apart = math.sqrt(sum((a - b) ** 2 for a, b in zip(one[1:], other[1:])) / SIGNS)
    return max(apart, abs(one[0] - other[0])) / other[0]


def checked(make):
    """What f64 makes, and whether f32 stays near."""
    losses, told, nearest = trained(make, torch.float64)
    short, found, _ = trained(make, torch.float32)
    loss = max(abs(a / b - 1) for a, b in zip(short, losses))
    worst = [max((away(f[key], t[key]), key) for key in t) for f, t in zip(found, told)]
    print(f"{make.__name__}: loss {losses[0]:.6f} -> {losses[-1]:.6f}; nearest {nearest:.1e}; f32 {loss:.1e} and {worst} away")
    return losses, told, nearest > MARGIN and loss < NEAR["loss"] and worst[1][0] < NEAR["tensor"]


def main():
    torch.set_num_threads(1)  # Sums keep their order, so a second run writes the same bytes.
    path = here / "families.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    for name in sys.argv[1:] or FAMILIES:
        make = FAMILIES[name]
        losses, told, fits = checked(make)
        assert fits or not make.single, "choose another seed"
        short_of = lambda ways: [float(f"{one:.8g}") for one in ways]
        tensors = {key: [short_of(one[key]) for one in told] for key in told[0]}
        result[name] = {"losses": losses, "tensors": tensors}
    path.write_text(json.dumps({name: result[name] for name in FAMILIES if name in result}, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
