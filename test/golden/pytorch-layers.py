#!/usr/bin/env python3
"""Layers of PyTorch with their state dicts, inputs and outputs, for loadWeights of gradus/pytorch. Images and sequences are told with the
channels last, as Gradus has them; weights stay as PyTorch saves them. Usage: /usr/bin/python3 test/golden/pytorch-layers.py"""

import base64
import io
import json
import pathlib

import torch
from torch import nn

torch.manual_seed(7)
torch.set_default_dtype(torch.float32)


class Attention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, **options)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.rnn = layer

    def forward(self, x):
        return self.rnn(x)[0]


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.places = nn.Parameter(torch.randn(1, 5, 4))

    def forward(self, x):
        return self.words(x.long()) + self.places


image, line, sequence = (2, 4, 6, 5), (2, 4, 9), (2, 5, 6)
modules = {
    "conv2d": (nn.Conv2d(4, 6, (3, 2), stride=2, padding=1), image),
    "conv2d in groups": (nn.Conv2d(4, 6, 3, groups=2), image),
    "conv1d": (nn.Conv1d(4, 3, 3, padding=1), line),
    "conv2dTranspose": (nn.ConvTranspose2d(4, 6, 3, stride=2), image),
    "conv2dTranspose in groups": (nn.ConvTranspose2d(4, 6, 3, groups=2), image),
    "depthwiseConv2d": (nn.Conv2d(4, 8, 3, groups=4), image),
    "batchNorm": (nn.BatchNorm2d(4), image),
    "layerNorm": (nn.LayerNorm(6), sequence),
    "groupNorm": (nn.GroupNorm(2, 4), image),
    "prelu": (nn.PReLU(4), image),
    "linear of a sequence": (nn.Linear(6, 3), sequence),
    "flatten of images": (nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 5)), image),
    "lstm": (Recurrent(nn.LSTM(6, 4, batch_first=True)), sequence),
    "lstm both ways": (Recurrent(nn.LSTM(6, 4, batch_first=True, bidirectional=True)), sequence),
    "lstm of two": (Recurrent(nn.LSTM(6, 4, num_layers=2, batch_first=True)), sequence),
    "gru": (Recurrent(nn.GRU(6, 4, batch_first=True)), sequence),
    "attention": (Attention(), (2, 5, 8)),
    "words": (Words(), (2, 5)),
}


def last(tensor):
    """With the channels last."""
    return tensor.movedim(1, -1) if tensor.dim() == 4 or (tensor.dim() == 3 and tensor.shape[1:] in [(4, 9), (3, 9)]) else tensor


def rounded(tensor):
    """Nine digits tell every f32."""
    return [float(f"{v:.9g}") for v in tensor.flatten().tolist()]


result = {}
for name, (module, shape) in modules.items():
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape).abs() * 0.5 + 0.1 if "var" in name else torch.randn(tensor.shape) * 0.5)
        for key, tensor in module.named_buffers():
            if key.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape) + 0.5)
        x = torch.arange(10).remainder(7).reshape(shape) if name == "words" else torch.randn(shape)
        file = io.BytesIO()
        torch.save(module.state_dict(), file)
        y = module.double().eval()(x.double())
    result[name] = {
        "file": base64.b64encode(file.getvalue()).decode(),
        "x": {"shape": list(last(x).shape), "numbers": rounded(last(x))},
        "y": {"shape": list(last(y).shape), "numbers": rounded(last(y))},
    }
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size)
