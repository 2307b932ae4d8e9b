#!/usr/bin/env python3
"""Goes on in PyTorch with the training that handover.ts begins, by the files that toPyTorch wrote and test/node/to-pytorch.test.ts keeps in
handover/: 20 steps, whose losses and ends become handover.json. Usage: /usr/bin/python3 test/golden/handover.py"""

import base64
import importlib.util
import json
import pathlib
import tempfile

import torch

here = pathlib.Path(__file__).parent
BEFORE, BEHIND, BATCH, INPUT = 5, 20, 6, [6, 6, 2]

spec = importlib.util.spec_from_file_location("model", here / "handover" / "model.py")
written = importlib.util.module_from_spec(spec)
spec.loader.exec_module(written)
with tempfile.TemporaryDirectory() as folder:
    paths = {}
    for name in ["model", "optimizer"]:
        paths[name] = pathlib.Path(folder) / f"{name}.safetensors"
        paths[name].write_bytes(base64.b64decode((here / "handover" / f"{name}.safetensors.txt").read_text()))
    model = written.load_model(paths["model"])
    optimizers, schedulers = written.load_optimizers(model, paths["optimizer"])


def batch(step):
    size = BATCH * INPUT[0] * INPUT[1] * INPUT[2]
    i = torch.arange(size, dtype=torch.int64) + step * size
    x = (i * 7919 % 1009).double() / 504.5 - 1
    return x.float().reshape([BATCH, *INPUT]), torch.tensor([(row * row + step) % 3 for row in range(BATCH)])


def rounded(tensor):
    """Nine digits tell every f32."""
    return [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]


start = {name: rounded(tensor) for name, tensor in model.state_dict().items()}
model.eval()
output = rounded(model(batch(0)[0]))
model.train()
losses = []
for step in range(BEFORE, BEFORE + BEHIND):
    x, y = batch(step)
    loss = torch.nn.functional.cross_entropy(model(x), y)
    model.zero_grad()
    loss.backward()
    for each in [*optimizers, *schedulers]:
        each.step()
    losses.append(loss.item())

moments = {}
for optimizer in optimizers:
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            moments[f"{key}/{name}"] = rounded(value)
result = {"torch": torch.__version__, "output": output, "losses": losses, "start": start}
result["weights"] = {name: rounded(tensor) for name, tensor in model.state_dict().items()}
result["moments"] = moments
path = here / "handover.json"
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size, losses[0], losses[-1])
