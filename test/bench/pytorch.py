"""PyTorch on the CPU as an engine of the benchmark: reads a workload as JSON from standard input, trains it, and prints a line of JSON.

Weights and batches come as base64 of what all engines start from, in Gradus's layouts, and are put into PyTorch's own before the first
step. Native, so not a peer in the browser: its times are for scale.
"""

import base64
import json
import os
import sys
import time

import torch
import torch.nn.functional as F


def dense(x, p, name):
    return torch.addmm(p[f"{name}.bias"], x, p[f"{name}.weight"])


def norm(x, p, name):
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.gamma"], p[f"{name}.beta"])


def adapted(x, p, name):
    y = dense(x, p, name)
    return y + x @ p[f"{name}.loraA"] @ p[f"{name}.loraB"] if f"{name}.loraA" in p else y


def block(rows, p, name, length, heads, causal):
    """A transformer block over rows of [batch length, units]."""
    units = rows.shape[1]
    normed = norm(rows, p, f"{name}.norm1")
    q, k, v = (
        adapted(normed, p, f"{name}.attention.{part}").view(-1, length, heads, units // heads).transpose(1, 2)
        for part in ("query", "key", "value")
    )
    scores = q @ k.transpose(2, 3) / (units // heads) ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -torch.inf)
    seen = (scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, units)
    rows = rows + adapted(seen, p, f"{name}.attention.output")
    hidden = F.gelu(dense(norm(rows, p, f"{name}.norm2"), p, f"{name}.hidden"))
    return rows + dense(hidden, p, f"{name}.output")


def blocks_of(p, beginning):
    return sorted({key.split(".norm1")[0] for key in p if key.startswith(beginning) and ".norm1" in key})


def mlp(x, p):
    return dense(F.relu(dense(F.relu(dense(x, p, "fc1")), p, "fc2")), p, "fc3")


def deep(x, p):
    for i in range(32):
        x = F.relu(dense(x, p, f"fc{i}"))
    return dense(x, p, "head")


def cnn(x, p):
    for name in ("conv1", "conv2"):
        x = F.max_pool2d(F.relu(F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], padding=1)), 2)
    return dense(x.permute(0, 2, 3, 1).flatten(1), p, "head")


def gpt(x, p):
    length, units = p["places.weight"].shape
    rows = (F.embedding(x, p["tokens.weight"]) + p["places.weight"]).view(-1, units)
    for name in blocks_of(p, "block"):
        rows = block(rows, p, name, length, 4, True)
    return norm(rows, p, "norm") @ p["tokens.weight"].T


def vit(x, p):
    x = F.conv2d(x, p["patches.0.weight"], p["patches.0.bias"], stride=7)
    length, units = p["patches.2.weight"].shape
    rows = (x.flatten(2).transpose(1, 2) + p["patches.2.weight"]).reshape(-1, units)
    for name in blocks_of(p, "blocks."):
        rows = block(rows, p, name, length, 4, False)
    return dense(norm(rows, p, "norm").view(-1, length, units).mean(1), p, "head")


def normed(x, p, name, stride=1):
    weight = p[f"{name}.conv.weight"]
    # As TensorFlow pads: the odd zero at the end.
    size, kernel = x.shape[2], weight.shape[2]
    zeros = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    x = F.conv2d(F.pad(x, [zeros // 2, zeros - zeros // 2] * 2), weight, stride=stride)
    gamma, beta = p[f"{name}.norm.gamma"], p[f"{name}.norm.beta"]
    if gamma.requires_grad:
        return F.batch_norm(x, None, None, gamma, beta, training=True)
    return F.batch_norm(x, torch.zeros_like(gamma), torch.ones_like(gamma), gamma, beta)


def resnet(x, p):
    x = F.relu(normed(x, p, "stem.one"))
    for name, stride in (("stage1", 1), ("stage2", 2), ("stage3", 2)):
        inner = normed(F.relu(normed(x, p, f"{name}.inner.one", stride)), p, f"{name}.inner.two")
        around = x if stride == 1 else normed(x, p, f"{name}.around", stride)
        x = F.relu(inner + around)
    return dense(x.mean((2, 3)), p, "head")


def lstm(x, p):
    """The weights of nn.LSTM's own kernel are Gradus's, transposed once a step; of its two biases one is not there."""
    found = F.embedding(x, p["tokens.weight"])
    zeros = torch.zeros(1, x.shape[0], p["read.recurrentWeight"].shape[0])
    flat = [p["read.weight"].T.contiguous(), p["read.recurrentWeight"].T.contiguous(), p["read.bias"], torch.zeros_like(p["read.bias"])]
    y, _, _ = torch.lstm(found, (zeros, zeros), flat, True, 1, 0.0, True, False, True)
    return dense(y.reshape(-1, y.shape[2]), p, "head")


FORWARDS = {"mlp": mlp, "deep": deep, "cnn": cnn, "gpt": gpt, "resnet": resnet, "vit": vit, "lstm": lstm, "finetune": resnet, "lora": gpt}


def numbers(given, dtype):
    tensor = torch.frombuffer(bytearray(base64.b64decode(given["data"])), dtype=dtype)
    return tensor.view(given["shape"])


def main():
    task = json.load(sys.stdin)
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    p = {}
    for tensor in task["tensors"]:
        value = numbers(tensor, torch.float32)
        value = value.permute(3, 2, 0, 1).contiguous() if value.ndim == 4 else value.clone()
        p[tensor["name"]] = value.requires_grad_(not tensor["frozen"])
    batches = []
    for x, y in ((batch["x"], batch["y"]) for batch in task["batches"]):
        image = numbers(x, torch.int32 if task["tokens"] else torch.float32)
        image = image.permute(0, 3, 1, 2).contiguous() if image.ndim == 4 else image
        batches.append((image.long() if task["tokens"] else image, numbers(y, torch.int32).long().flatten()))
    forward = FORWARDS[task["name"]]
    adam = task["adam"]
    trained = [value for value in p.values() if value.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=adam["lr"], betas=(adam["beta1"], adam["beta2"]), eps=adam["epsilon"])
    done = 0

    def run(steps):
        nonlocal done
        for _ in range(steps):
            x, y = batches[done % len(batches)]
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(forward(x, p), y)
            loss.backward()
            optimizer.step()
            done += 1
        return loss.item()

    losses = [run(1) for _ in range(task["checked"])]
    run(task["steps"])
    times = []
    for _ in range(task["rounds"]):
        start = time.perf_counter()
        run(task["steps"])
        times.append((time.perf_counter() - start) * 1e3 / task["steps"])
    print(json.dumps({"losses": losses, "times": times, "version": torch.__version__, "threads": torch.get_num_threads()}))


main()
