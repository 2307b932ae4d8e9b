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
FROZEN = ["0.weight", "1.0.query.weight", "1.0.query.bias", "1.0.key.weight", "1.0.key.bias", "1.0.value.weight", "1.0.value.bias", "1.0.output.weight", "1.0.output.bias", "2.norm1.weight", "2.norm1.bias", "2.attention.query.weight", "2.attention.query.bias", "2.attention.key.weight", "2.attention.key.bias", "2.attention.value.weight", "2.attention.value.bias", "2.attention.output.weight", "2.attention.output.bias", "2.norm2.weight", "2.norm2.bias", "2.hidden.weight", "2.hidden.bias", "2.output.weight", "2.output.bias"]

OPTIMIZERS = [
]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        place(self, "0.weight", torch.zeros([5, 8]), False)
        place(self, "1.0.query.weight", torch.zeros([8, 8]), False)
        place(self, "1.0.query.bias", torch.zeros([8]), False)
        place(self, "1.0.key.weight", torch.zeros([4, 8]), False)
        place(self, "1.0.key.bias", torch.zeros([4]), False)
        place(self, "1.0.value.weight", torch.zeros([4, 8]), False)
        place(self, "1.0.value.bias", torch.zeros([4]), False)
        place(self, "1.0.output.weight", torch.zeros([8, 8]), False)
        place(self, "1.0.output.bias", torch.zeros([8]), False)
        place(self, "2.norm1.weight", torch.zeros([8]), False)
        place(self, "2.norm1.bias", torch.zeros([8]), False)
        place(self, "2.attention.query.weight", torch.zeros([8, 8]), False)
        place(self, "2.attention.query.bias", torch.zeros([8]), False)
        place(self, "2.attention.key.weight", torch.zeros([8, 8]), False)
        place(self, "2.attention.key.bias", torch.zeros([8]), False)
        place(self, "2.attention.value.weight", torch.zeros([8, 8]), False)
        place(self, "2.attention.value.bias", torch.zeros([8]), False)
        place(self, "2.attention.output.weight", torch.zeros([8, 8]), False)
        place(self, "2.attention.output.bias", torch.zeros([8]), False)
        place(self, "2.norm2.weight", torch.zeros([8]), False)
        place(self, "2.norm2.bias", torch.zeros([8]), False)
        place(self, "2.hidden.weight", torch.zeros([6, 8]), False)
        place(self, "2.hidden.bias", torch.zeros([6]), False)
        place(self, "2.output.weight", torch.zeros([8, 6]), False)
        place(self, "2.output.bias", torch.zeros([8]), False)

    def forward(self, x):
        batch = x.shape[0]
        v1 = x + self.get_parameter("0.weight")  # 0
        v2 = v1.reshape([5 * batch, 8])  # 1.0.query
        v3 = v2 @ self.get_parameter("1.0.query.weight").t()  # 1.0.query
        v4 = v3 + self.get_parameter("1.0.query.bias")  # 1.0.query
        v5 = v4.reshape([batch, 5, 8])  # 1.0.query
        v6 = v1.reshape([5 * batch, 8])  # 1.0.key
        v7 = v6 @ self.get_parameter("1.0.key.weight").t()  # 1.0.key
        v8 = v7 + self.get_parameter("1.0.key.bias")  # 1.0.key
        v9 = v8.reshape([batch, 5, 4])  # 1.0.key
        v10 = v1.reshape([5 * batch, 8])  # 1.0.value
        v11 = v10 @ self.get_parameter("1.0.value.weight").t()  # 1.0.value
        v12 = v11 + self.get_parameter("1.0.value.bias")  # 1.0.value
        v13 = v12.reshape([batch, 5, 4])  # 1.0.value
        v14 = attend(v5, v9, v13, 4, 2, True, None)  # 1.0
        v15 = v14.reshape([5 * batch, 8])  # 1.0.output
        v16 = v15 @ self.get_parameter("1.0.output.weight").t()  # 1.0.output
        v17 = v16 + self.get_parameter("1.0.output.bias")  # 1.0.output
        v18 = v17.reshape([batch, 5, 8])  # 1.0.output
        v19 = v18 + v1  # 1
        v20 = F.layer_norm(v19, [8], self.get_parameter("2.norm1.weight"), self.get_parameter("2.norm1.bias"), 0.00001)  # 2.norm1
        v21 = v20.reshape([5 * batch, 8])  # 2.attention.query
        v22 = v21 @ self.get_parameter("2.attention.query.weight").t()  # 2.attention.query
        v23 = v22 + self.get_parameter("2.attention.query.bias")  # 2.attention.query
        v24 = v23.reshape([batch, 5, 8])  # 2.attention.query
        v25 = v20.reshape([5 * batch, 8])  # 2.attention.key
        v26 = v25 @ self.get_parameter("2.attention.key.weight").t()  # 2.attention.key
        v27 = v26 + self.get_parameter("2.attention.key.bias")  # 2.attention.key
        v28 = v27.reshape([batch, 5, 8])  # 2.attention.key
        v29 = v20.reshape([5 * batch, 8])  # 2.attention.value
        v30 = v29 @ self.get_parameter("2.attention.value.weight").t()  # 2.attention.value
        v31 = v30 + self.get_parameter("2.attention.value.bias")  # 2.attention.value
        v32 = v31.reshape([batch, 5, 8])  # 2.attention.value
        v33 = attend(v24, v28, v32, 2, 2, False, None)  # 2.attention
        v34 = v33.reshape([5 * batch, 8])  # 2.attention.output
        v35 = v34 @ self.get_parameter("2.attention.output.weight").t()  # 2.attention.output
        v36 = v35 + self.get_parameter("2.attention.output.bias")  # 2.attention.output
        v37 = v36.reshape([batch, 5, 8])  # 2.attention.output
        v38 = v37 + v19  # 2
        v39 = F.layer_norm(v38, [8], self.get_parameter("2.norm2.weight"), self.get_parameter("2.norm2.bias"), 0.00001)  # 2.norm2
        v40 = v39.reshape([5 * batch, 8])  # 2.hidden
        v41 = v40 @ self.get_parameter("2.hidden.weight").t()  # 2.hidden
        v42 = v41 + self.get_parameter("2.hidden.bias")  # 2.hidden
        v43 = v42.reshape([batch, 5, 6])  # 2.hidden
        v44 = F.gelu(v43, approximate="none")  # 2.activation
        v45 = v44.reshape([5 * batch, 6])  # 2.output
        v46 = v45 @ self.get_parameter("2.output.weight").t()  # 2.output
        v47 = v46 + self.get_parameter("2.output.bias")  # 2.output
        v48 = v47.reshape([batch, 5, 8])  # 2.output
        v49 = v48 + v38  # 2
        return v49


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
