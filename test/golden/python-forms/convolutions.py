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
FROZEN = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias", "5.weight", "5.bias", "6.weight", "6.bias", "7.depthwise.weight", "7.pointwise.weight", "7.pointwise.bias", "9.weight", "9.bias"]

OPTIMIZERS = [
]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        place(self, "0.weight", torch.zeros([6, 2, 3, 2]), False)
        place(self, "0.bias", torch.zeros([6]), False)
        place(self, "2.weight", torch.zeros([4, 6, 2, 2]), False)
        place(self, "2.bias", torch.zeros([4]), False)
        place(self, "4.weight", torch.zeros([4, 6, 3, 3]), False)
        place(self, "4.bias", torch.zeros([6]), False)
        place(self, "5.weight", torch.zeros([6, 1, 3, 3]), False)
        place(self, "5.bias", torch.zeros([6]), False)
        place(self, "6.weight", torch.zeros([12, 1, 2, 2]), False)
        place(self, "6.bias", torch.zeros([12]), False)
        place(self, "7.depthwise.weight", torch.zeros([12, 1, 3, 3]), False)
        place(self, "7.pointwise.weight", torch.zeros([3, 12, 1, 1]), False)
        place(self, "7.pointwise.bias", torch.zeros([3]), False)
        place(self, "9.weight", torch.zeros([3, 105]), False)
        place(self, "9.bias", torch.zeros([3]), False)

    def forward(self, x):
        batch = x.shape[0]
        v1 = F.conv2d(x.movedim(-1, 1), self.get_parameter("0.weight"), stride=(2, 2), padding=(1, 0), dilation=(1, 1), groups=2).movedim(1, -1)  # 0
        v2 = v1 + self.get_parameter("0.bias")  # 0
        v3 = F.relu(v2)  # 1
        v4 = F.conv2d(F.pad(v3.movedim(-1, 1), (2, 1, 1, 0), value=0.0), self.get_parameter("2.weight"), stride=(1, 1), dilation=(2, 2), groups=1).movedim(1, -1)  # 2
        v5 = v4 + self.get_parameter("2.bias")  # 2
        v6 = F.leaky_relu(v5, 0.01)  # 3
        v7 = F.pad(F.conv_transpose2d(v6.movedim(-1, 1), self.get_parameter("4.weight"), stride=(2, 2), dilation=(1, 1), groups=1), (0, -1, 0, -1)).movedim(1, -1)  # 4
        v8 = v7 + self.get_parameter("4.bias")  # 4
        v9 = F.conv2d(v8.movedim(-1, 1), self.get_parameter("5.weight").permute(2, 3, 0, 1).permute(2, 3, 0, 1), stride=(1, 1), padding=(1, 1), groups=6).movedim(1, -1)  # 5
        v10 = v9 + self.get_parameter("5.bias")  # 5
        v11 = self.get_parameter("6.weight").reshape(6, 2, 2, 2).permute(2, 3, 0, 1).reshape([2, 2, 1, 12])  # 6
        v12 = F.conv2d(v10.movedim(-1, 1), v11.permute(3, 2, 0, 1), stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=6).movedim(1, -1)  # 6
        v13 = v12 + self.get_parameter("6.bias")  # 6
        v14 = F.conv2d(v13.movedim(-1, 1), self.get_parameter("7.depthwise.weight").permute(2, 3, 0, 1).permute(2, 3, 0, 1), stride=(1, 1), padding=(0, 0), groups=12).movedim(1, -1)  # 7.depthwise
        v15 = F.conv2d(v14.movedim(-1, 1), self.get_parameter("7.pointwise.weight"), stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1).movedim(1, -1)  # 7.pointwise
        v16 = v15 + self.get_parameter("7.pointwise.bias")  # 7.pointwise
        v17 = v16.reshape([batch, 105])  # 8
        v18 = v17 @ self.get_parameter("9.weight").reshape(3, 3, 5, 7).permute(2, 3, 1, 0).reshape(105, 3)  # 9
        v19 = v18 + self.get_parameter("9.bias")  # 9
        return v19


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
