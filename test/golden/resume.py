#!/usr/bin/env python3
"""Trainings of PyTorch that are broken off by a checkpoint { model, optimizer, epoch } and go on: 12 steps, the checkpoint in f32, and 20
steps from it in f64. Writes the files resume-*.pt and resume.json: losses and ends. Usage: /usr/bin/python3 test/golden/resume.py"""

import json
import pathlib

import torch
from torch import nn

here = pathlib.Path(__file__).parent
BEFORE, BEHIND, BATCH = 12, 20, 5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 3, 3, padding=1)
        self.head = nn.Linear(3 * 4 * 4, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.stem(x)).flatten(1))


def rule(shape, start, scale):
    """Numbers of a rule of whole numbers about 0."""
    count = torch.tensor(shape).prod().item()
    return (((torch.arange(count) + start) * 7919 % 1009).double() / 504.5 - 1).mul(scale).float().double().reshape(shape)


def batch(step):
    return rule([BATCH, 2, 4, 4], 160 * step, 1), (torch.arange(BATCH) * 2 + step) % 3


# Groups as (name of the layer, rate, decay); the order is PyTorch's own business.
cases = {
    "adam": (torch.optim.Adam, {"betas": (0.8, 0.99), "eps": 1e-7}, [("stem", 1e-3, 0.01), ("head", 8e-3, 0.0)]),
    "adamw": (torch.optim.AdamW, {"amsgrad": True}, [("head", 5e-3, 0.1), ("stem", 1e-3, 0.02)]),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, [("head", 0.05, 0.0), ("stem", 0.01, 1e-3)]),
    "rmsprop": (torch.optim.RMSprop, {"momentum": 0.5, "centered": True}, [("stem", 5e-4, 0.0), ("head", 2e-3, 0.01)]),
}


def advance(model, optimizer, begin, count):
    losses = []
    for step in range(begin, begin + count):
        x, y = batch(step)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def rounded(value):
    """What a file in f32 holds."""
    if torch.is_tensor(value):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


result = {"torch": torch.__version__, "before": BEFORE, "behind": BEHIND}
for name, (make, options, groups) in cases.items():
    model = Net().double()
    with torch.no_grad():
        for i, parameter in enumerate(model.parameters()):
            parameter.copy_(rule(list(parameter.shape), 31 * i, 0.3))
    optimizer = make([{"params": getattr(model, layer).parameters(), "lr": lr, "weight_decay": decay} for layer, lr, decay in groups], lr=1, **options)
    advance(model, optimizer, 0, BEFORE)
    file = {"model": rounded(model.state_dict()), "optimizer": rounded(optimizer.state_dict()), "epoch": 3}
    torch.save(file, here / f"resume-{name}.pt")
    model.load_state_dict(file["model"])
    optimizer.load_state_dict(file["optimizer"])
    losses = advance(model, optimizer, BEFORE, BEHIND)
    ends = {key: [float(f"{v:.9g}") for v in value.flatten().tolist()] for key, value in model.state_dict().items()}
    result[name] = {"losses": losses, "ends": ends}
    print(name, losses[0], losses[-1], (here / f"resume-{name}.pt").stat().st_size)
(here / "resume.json").write_text(json.dumps(result) + "\n")
