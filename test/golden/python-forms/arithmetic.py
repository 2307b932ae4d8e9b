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
FROZEN = ["mix.weight", "mix.bias"]

OPTIMIZERS = [
]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        place(self, "mix.weight", torch.zeros([8, 8]), False)
        place(self, "mix.bias", torch.zeros([8]), False)

    def forward(self, x):
        batch = x.shape[0]
        v1 = x.reshape([5 * batch, 8])  # mix
        v2 = v1 @ self.get_parameter("mix.weight").t()  # mix
        v3 = v2 + self.get_parameter("mix.bias")  # mix
        v4 = v3.reshape([batch, 5, 8])  # mix
        v5 = torch.square(v4)
        v6 = torch.exp(v4)
        v7 = v5 + v6
        v8 = torch.sqrt(v7)
        v9 = torch.log(v8)
        v10 = torch.abs(v4)
        v11 = torch.neg(v4)
        v12 = torch.maximum(v10, v11)
        v13 = torch.sin(v4)
        v14 = torch.minimum(v13, v9)
        v15 = v12 + v14
        v16 = v4.sum(dim=(1,), keepdim=True)
        v17 = v4.mean(dim=(2,), keepdim=True)
        v18 = v16 + v17
        v19 = v4.amax(dim=(-1,), keepdim=True)
        v20 = v4.amin(dim=(-1,), keepdim=True)
        v21 = v19 - v20
        v22 = v15 * v18
        v23 = torch.reciprocal(v7)
        v24 = v22 / v23
        v25 = v24 ** 2
        v26 = v25 + v21
        return v26


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
