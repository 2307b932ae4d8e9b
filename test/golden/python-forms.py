#!/usr/bin/env python3
"""Runs the files of python-forms/, which toPyTorch wrote, in PyTorch; outputs become python-forms.json. The inputs are those of
python-forms.ts. Usage: /usr/bin/python3 test/golden/python-forms.py"""

import base64
import importlib.util
import json
import pathlib
import tempfile

import torch

here = pathlib.Path(__file__).parent
INPUTS = {
    "convolutions": [9, 8, 4], "transposed": [3, 4, 4], "pools": [6, 5, 4], "norms": [6, 5, 4],
    "activations": [5, 8], "arithmetic": [5, 8], "moves": [5, 8], "attention": [5, 8], "words": [5],
}

result = {}
for name, shape in INPUTS.items():
    spec = importlib.util.spec_from_file_location("model", here / "python-forms" / f"{name}.py")
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(base64.b64decode((here / "python-forms" / f"{name}.txt").read_text()))
        file.flush()
        model = written.load_model(file.name).eval()
    i = torch.arange(2 * torch.tensor(shape).prod().item(), dtype=torch.int64)
    x = (i * 5 % 7).reshape([2, *shape]) if name == "words" else (((i + 7) * 7919 % 1009).double() / 1009 - 0.5).float().reshape([2, *shape])
    y = model.double()(x if name == "words" else x.double())
    result[name] = {"shape": list(y.shape), "numbers": [float(f"{v:.9g}") for v in y.flatten().tolist()]}
path = here / "python-forms.json"
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size)
