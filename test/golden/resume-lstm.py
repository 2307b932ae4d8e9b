#!/usr/bin/env python3
"""An LSTM of PyTorch with its AdamW behind two steps, resume-lstm.pt: PyTorch has two biases where Gradus has one.
Usage: /usr/bin/python3 test/golden/resume-lstm.py"""

import pathlib

import torch
from torch import nn

model = nn.ModuleDict({"read": nn.LSTM(3, 2, batch_first=True)})
for i, tensor in enumerate(model.parameters()):
    count = tensor.numel()
    tensor.data = ((torch.arange(count) + 31 * i) * 7919 % 1009).double().div(504.5).sub(1).float().reshape(tensor.shape)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
x = (torch.arange(2 * 4 * 3) * 7919 % 1009).double().div(504.5).sub(1).float().reshape(2, 4, 3)
for _ in range(2):
    optimizer.zero_grad()
    model["read"](x)[0].square().sum().backward()
    optimizer.step()
path = pathlib.Path(__file__).with_name("resume-lstm.pt")
torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
print(path, path.stat().st_size)
