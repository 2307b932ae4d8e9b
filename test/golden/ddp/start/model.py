"""A model that Gradus wrote, with what trains it. Values lie with the channels last, as they did there; weights lie as PyTorch has them.

    model = load_model("model.safetensors")
    optimizers, schedulers = load_optimizers(model, "optimizer.safetensors")
    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        for each in [*optimizers, *schedulers]:
            each.step()
        model.zero_grad()
"""

import json
import struct

import torch
from torch import nn
from torch.nn import functional as F


def read_safetensors(path):
    """Tensors by name of a safetensors file of f32."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    length = struct.unpack_from("<Q", data)[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            part = data[8 + length + begin : 8 + length + end]
            tensor = torch.frombuffer(part, dtype=torch.float32) if end > begin else torch.zeros(0)
            tensors[name] = tensor.clone().reshape(entry["shape"])
    return tensors


def attend(q, k, v, heads, key_heads, causal, scale):
    """softmax(scale q k^T) v of each head, heads beside one another."""
    batch, length, units = q.shape
    size = units // heads
    q = q.reshape(batch, length, heads, size).transpose(1, 2)
    k, v = (t.reshape(batch, t.shape[1], key_heads, size).transpose(1, 2).repeat_interleave(heads // key_heads, 1) for t in (k, v))
    scores = q @ k.transpose(-1, -2) * (size**-0.5 if scale is None else scale)
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool().to(scores.device), float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, units)


def place(module, name, tensor, is_state):
    """Puts a tensor under a name with dots, so that the state dict has it."""
    *path, last = name.split(".")
    for part in path:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module._modules[part]
    module.register_buffer(last, tensor) if is_state else module.register_parameter(last, nn.Parameter(tensor))


# What does not train.
FROZEN = ["body.0.bias"]

OPTIMIZERS = [
    (
        "AdamW",
        {"betas": (0.9, 0.999), "eps": 1e-8},
        [  # rate, decay, table of the schedule, parameters
            (0.002, 0.1, "schedule.0", ["body.0.weight"]),
            (0.001, 0.1, "schedule.0", ["stem.0.weight"]),
            (0.001, 0, "schedule.0", ["stem.1.bias", "stem.1.weight"]),
        ],
    ),
    (
        "SGD",
        {"momentum": 0.9, "dampening": 0, "nesterov": False},
        [  # rate, decay, table of the schedule, parameters
            (0.02, 0, "schedule.0", ["head.bias", "head.weight"]),
        ],
    ),
]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        place(self, "stem.0.weight", torch.zeros([4, 2, 3, 3]), False)
        place(self, "stem.1.weight", torch.zeros([4]), False)
        place(self, "stem.1.bias", torch.zeros([4]), False)
        place(self, "body.0.weight", torch.zeros([4, 4, 3, 3]), False)
        place(self, "body.0.bias", torch.zeros([4]), False)
        place(self, "head.weight", torch.zeros([3, 36]), False)
        place(self, "head.bias", torch.zeros([3]), False)

    def forward(self, x):
        batch = x.shape[0]
        v1 = F.conv2d(F.pad(x.movedim(-1, 1), (0, 1, 0, 1), value=0.0), self.get_parameter("stem.0.weight"), stride=(2, 2), dilation=(1, 1), groups=1).movedim(1, -1)  # stem.0
        v2 = F.layer_norm(v1, [4], self.get_parameter("stem.1.weight"), self.get_parameter("stem.1.bias"), 0.00001)  # stem.1
        v3 = torch.tanh(v2)  # stem.2
        v4 = F.conv2d(v3.movedim(-1, 1), self.get_parameter("body.0.weight"), stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1).movedim(1, -1)  # body.0
        v5 = v4 + self.get_parameter("body.0.bias")  # body.0
        v6 = torch.tanh(v5)  # body.1
        v7 = v6 + v3  # body
        v8 = v7.reshape([batch, 36])  # flat
        v9 = v8 @ self.get_parameter("head.weight").reshape(3, 4, 3, 3).permute(2, 3, 1, 0).reshape(36, 3)  # head
        v10 = v9 + self.get_parameter("head.bias")  # head
        return v10


def load_model(path):
    """The model with the weights of a file that Gradus wrote."""
    model = Model()
    model.load_state_dict(read_safetensors(path))
    for name in FROZEN:
        model.get_parameter(name).requires_grad_(False)
    return model


def load_optimizers(model, path):
    """Optimizers and schedulers, one each for each rule, with groups by rate, decay and schedule, going on where Gradus stopped."""
    tensors = read_safetensors(path)
    optimizers, schedulers = [], []
    for name, options, groups in OPTIMIZERS:
        optimizer = getattr(torch.optim, name)(
            [{"params": [model.get_parameter(one) for one in names], "lr": lr, "weight_decay": decay} for lr, decay, _, names in groups],
            lr=0.0,
            **options,
        )
        for _, _, _, names in groups:
            for one in names:
                state = {key.split("/")[0]: value for key, value in tensors.items() if key.endswith("/" + one)}
                if "step" in state:
                    state["step"] = state["step"].reshape(())
                if state:
                    optimizer.state[model.get_parameter(one)] = state
        tables = [None if table is None else tensors[table].tolist() for _, _, table, _ in groups]
        factors = [(lambda t, f=f: 1.0 if f is None else f[min(t, len(f) - 1)]) for f in tables]
        optimizers.append(optimizer)
        schedulers.append(torch.optim.lr_scheduler.LambdaLR(optimizer, factors))
    return optimizers, schedulers
