#!/usr/bin/env python3
"""Twenty steps of networks that others trained, in PyTorch and f64, with a rate for each group of layers: losses, and of each tensor some
numbers of the way that it went. The networks are those of demo/data.json, in the folder of GRADUS_DATA or beside the checkout.
Usage: /usr/bin/python3 test/golden/pytorch-training.py"""

import json
import os
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

here = pathlib.Path(__file__).parent
data = pathlib.Path(os.environ.get("GRADUS_DATA", here.parent.parent.parent / "shared" / "data"))
torch.set_default_dtype(torch.float64)
STEPS, SAMPLES = 20, 64


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        chain = lambda: nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
        self.mlp_extractor = nn.ModuleDict({"policy_net": chain(), "value_net": chain()})
        self.action_net = nn.Linear(64, 2)
        self.value_net = nn.Linear(64, 1)

    def forward(self, x):
        return self.action_net(self.mlp_extractor["policy_net"](x)), self.value_net(self.mlp_extractor["value_net"](x))


class Vit(nn.Module):
    """The one of three digits: patches of 7, 4 layers, 4 heads of 16."""

    def __init__(self, state):
        super().__init__()
        self.names = list(state)
        for name, tensor in state.items():
            self.register_parameter(name.replace(".", "/"), nn.Parameter(tensor.double().clone()))

    def forward(self, x):
        p = {name: getattr(self, name.replace(".", "/")) for name in self.names}
        norm = lambda x, name: F.layer_norm(x, [64], p[f"{name}.weight"], p[f"{name}.bias"])
        linear = lambda x, name: F.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))
        batch = x.shape[0]
        cells = x.reshape(batch, 4, 7, 4, 7).transpose(2, 3).reshape(batch, 16, 49)
        x = torch.cat([p["cls_token"].expand(batch, 1, 64), linear(cells, "to_patch_embedding.1")], 1) + p["pos_embedding"]
        for i in range(4):
            look, think = (f"transformer.layers.{i}.{j}" for j in (0, 1))
            qkv = linear(norm(x, f"{look}.norm"), f"{look}.fn.to_qkv").reshape(batch, 17, 3, 4, 16).permute(2, 0, 3, 1, 4)
            y = ((qkv[0] @ qkv[1].transpose(-1, -2)) / 4).softmax(-1) @ qkv[2]
            x = x + linear(y.transpose(1, 2).reshape(batch, 17, 64), f"{look}.fn.to_out.0")
            x = x + linear(F.relu(linear(norm(x, f"{think}.norm"), f"{think}.fn.net.0")), f"{think}.fn.net.3")
        return linear(norm(x[:, 0], "mlp_head.0"), "mlp_head.1")


def rule(shape, start, scale, shift):
    """Numbers of a rule of whole numbers."""
    count = torch.tensor(shape).prod().item()
    return ((torch.arange(count) + start) * 7919 % 1009).double().div(1009).mul(scale).add(shift).float().double().reshape(shape)


def trained(name, model, optimizer, rates, batch_of, loss_of):
    """`rates`: (prefix, rate), of which the first that fits counts."""
    groups = {}
    told = lambda key: key.replace("/", ".")
    for key, parameter in model.named_parameters():
        rate = next(rate for prefix, rate in rates if told(key).startswith(prefix))
        groups.setdefault(rate, []).append(parameter)
    optimizer = optimizer([{"params": list(own), "lr": rate} for rate, own in groups.items()])
    start = {told(key): value.detach().clone() for key, value in model.state_dict().items()}
    model.train()
    losses = []
    for step in range(STEPS):
        loss = loss_of(model, *batch_of(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tensors = {}
    for key, value in model.state_dict().items():
        if value.is_floating_point():
            way = (value.detach() - start[told(key)]).flatten()
            places = [i * len(way) // SAMPLES for i in range(SAMPLES)] if len(way) > SAMPLES else range(len(way))
            tensors[told(key)] = {"path": way.norm().item(), "count": len(way), "way": [float(f"{way[i].item():.7g}") for i in places]}
    print(name, losses[0], losses[-1])
    return {"losses": losses, "tensors": tensors}


def load(path):
    return torch.load(data / path, map_location="cpu")


agent = Agent()
agent.load_state_dict({key: value.double() for key, value in load("rl-agents/ppo-cartpole-policy.pth").items() if key in agent.state_dict()})


def agent_loss(model, x, action, value):
    logits, told = model(x)
    return F.cross_entropy(logits, action) + F.mse_loss(told, value)


result = {
    "vit3": trained(
        "vit3", Vit(load("vit-mnist/vit_mnist_3class.pt")), lambda groups: torch.optim.Adam(groups, eps=1e-4),
        [("mlp_head", 1e-3), ("transformer.layers.3", 5e-4), ("transformer", 3e-4), ("", 8e-4)],
        lambda step: (rule([6, 28, 28], 4704 * step, 3, -0.4), (torch.arange(6) + step) % 3),
        lambda model, x, y: F.cross_entropy(model(x), y),
    ),
    "agent": trained(
        "agent", agent, lambda groups: torch.optim.Adam(groups, eps=1e-4),
        [("mlp_extractor.policy_net.0", 1e-4), ("mlp_extractor", 3e-4), ("", 1e-3)],
        lambda step: (rule([8, 4], 32 * step, 0.4, -0.2), (torch.arange(8) + step) % 2, rule([8, 1], 8 * step, 10, 40)),
        agent_loss,
    ),
}
path = here / "pytorch-training.json"
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size)
