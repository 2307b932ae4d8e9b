#!/usr/bin/env python3
"""Goes on with a training that Gradus handed over, on as many processes as torchrun starts: each takes its share of every batch.

    torchrun --nproc_per_node 2 test/golden/ddp.py test/golden/ddp/handed --begin 20 --steps 20 --out test/golden/ddp/back.pt

The folder holds model.py, model.safetensors and optimizer.safetensors of toPyTorch. Run by itself, with --double, it reckons in f64 what the
three parts of the way, 20 steps here, 20 there and 20 here, are held against:

    /usr/bin/python3 test/golden/ddp.py test/golden/ddp/start --steps 60 --double --out test/golden/ddp/alone.pt --losses test/golden/ddp-alone.json

Losses of the first command are kept by --losses test/golden/ddp-back.json. torch 1.13 with Python 3.11, as Debian 12 has them, starts
processes only with `torchrun --redirects 1 --tee 1`."""

import argparse
import importlib.util
import json
import os
import pathlib

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

BATCH, INPUT = 6, [6, 6, 2]


def batch(step):
    """The batch of a step, in the order in which the page takes them: put your own data here."""
    size = BATCH * INPUT[0] * INPUT[1] * INPUT[2]
    i = torch.arange(size, dtype=torch.int64) + step * size
    x = ((i * 7919 % 1009).double() / 504.5 - 1).float()
    return x.reshape([BATCH, *INPUT]), torch.tensor([(row * row + step) % 3 for row in range(BATCH)])


def read(folder):
    """model.py of a folder, the model and its optimizers."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.load_model(folder / "model.safetensors")


def checkpoint(model, optimizers, step):
    """What loadWeights and loadOptimizer read: parameters by name."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    state = {names[one]: kept for each in optimizers for one, kept in each.state.items()}
    groups = [
        {**{key: value for key, value in group.items() if key != "params"}, "params": [names[one] for one in group["params"]]}
        for each in optimizers
        for group in each.param_groups
    ]
    return {"model": model.state_dict(), "optimizer": {"state": state, "param_groups": groups}, "step": step}


def floats(value):
    """The same in f32, on the CPU."""
    if torch.is_tensor(value):
        return value.detach().float().cpu() if value.is_floating_point() else value.cpu()
    return {key: floats(one) for key, one in value.items()} if isinstance(value, dict) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--begin", type=int, default=0, help="steps made before")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the checkpoint that is written")
    parser.add_argument("--losses", type=pathlib.Path, help="a JSON file of the losses")
    parser.add_argument("--double", action="store_true", help="f64")
    asked = parser.parse_args()
    several = "RANK" in os.environ
    on_gpu = several and torch.cuda.is_available()
    if several:
        dist.init_process_group("nccl" if on_gpu else "gloo")
    rank, world = (dist.get_rank(), dist.get_world_size()) if several else (0, 1)
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)

    module, model = read(asked.folder)
    model.to(device, torch.float64 if asked.double else torch.float32)
    optimizers, schedulers = module.load_optimizers(model, asked.folder / "optimizer.safetensors")
    for each in optimizers:
        for parameter, kept in each.state.items():
            kept.update({key: one if key == "step" else one.to(parameter) for key, one in kept.items()})
    several_model = DistributedDataParallel(model) if several else model
    several_model.train()
    losses = []
    for step in range(asked.begin, asked.begin + asked.steps):
        x, y = batch(step)
        # DDP takes the mean of the processes' gradients. With the sum of a share over the whole batch, times their number, that is
        # the gradient of the batch, also where the shares are not of one length.
        mine = slice(rank * len(y) // world, (rank + 1) * len(y) // world)
        output = several_model(x[mine].to(device, torch.float64 if asked.double else torch.float32))
        loss = torch.nn.functional.cross_entropy(output, y[mine].to(device), reduction="sum") / len(y)
        several_model.zero_grad()
        (loss * world).backward()
        for each in [*optimizers, *schedulers]:
            each.step()
        whole = loss.detach().clone()
        if several:
            dist.all_reduce(whole)
        losses.append(whole.item())
    if rank == 0:
        torch.save(floats(checkpoint(model, optimizers, asked.begin + asked.steps)), asked.out)
        if asked.losses:
            asked.losses.write_text(json.dumps({"torch": torch.__version__, "losses": losses}) + "\n")
        print(f"{world} processes, {'nccl' if on_gpu else 'gloo' if several else 'alone'}: {losses[0]} -> {losses[-1]}")
    if several:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
