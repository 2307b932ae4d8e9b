#!/usr/bin/env python3
"""Small files of real PyTorch, with what they hold, for the reader of gradus/pytorch. Usage: /usr/bin/python3 test/golden/pytorch.py

Every file is saved in both forms. Numbers are told in float64, row-major.
"""

import base64
import collections
import io
import json
import pathlib
import zipfile

import torch

base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8 - 1
types = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
]

class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Linear(2, 3)
        self.two = torch.nn.Linear(2, 3)
        self.two.weight = self.one.weight
        self.norm = torch.nn.BatchNorm1d(3)

torch.manual_seed(0)
tied = Tied()
adam = torch.optim.Adam(tied.parameters(), lr=1e-3)
tied.norm(tied.one(torch.ones(2, 2)) + tied.two(torch.ones(2, 2))).pow(2).sum().backward()
adam.step()

objects = {
    "types": {str(t).replace("torch.", ""): (torch.tensor([0, 1, 2, -3]).abs() if t in (torch.uint8, torch.bool) else torch.tensor([0, 1, 2, -3])).to(t) for t in types},
    "halves": {
        "f16": torch.tensor([0.0, -0.0, 6e-8, 6.1e-5, 0.1, 65504.0, -1.5, float("inf"), float("nan")]).half(),
        "bf16": torch.tensor([0.0, -0.0, 1e-40, 0.1, 3e38, -1.5, float("-inf"), float("nan")]).bfloat16(),
    },
    "views": {
        "whole": base,
        "part": base[1],
        "turned": base.permute(2, 0, 1),
        "every": base[:, ::2, 1:3],
        "repeated": torch.tensor([[1.0], [2.0]]).expand(2, 5),
        "scalar": base[1, 2, 3],
        "empty": torch.zeros(0, 3),
    },
    "checkpoint": {
        "model": tied.state_dict(),
        "optimizer": adam.state_dict(),
        "epoch": 3,
        "best": 0.5,
        "name": "größe",
        "flags": (True, False, None),
        "large": 2**62,
        "negative": -70000,
        "nested": [[], {}, [1, [2]]],
        "size": torch.Size([2, 3]),
        "order": collections.OrderedDict([("b", 1), ("a", 2)]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    },
}


def tensors_of(value, path=""):
    if isinstance(value, torch.Tensor):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else []
    found = {}
    for key, one in items:
        found.update(tensors_of(one, f"{path}.{key}" if path else str(key)))
    return found


def told(tensor):
    numbers = [str(v) if v != v or v in (float("inf"), float("-inf")) else v for v in tensor.detach().double().flatten().tolist()]
    return {"shape": list(tensor.shape), "numbers": numbers}


def saved(value, zip_form):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zip_form)
    return file.getvalue()


def packed(data):
    """The same archive, deflated, as somebody might have packed it again."""
    source, file = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)
    return file.getvalue()


result = {}
for name, value in objects.items():
    zipped = saved(value, True)
    files = {"zip": zipped, "legacy": saved(value, False)} | ({"packed": packed(zipped)} if name == "checkpoint" else {})
    result[name] = {
        "files": {form: base64.b64encode(data).decode() for form, data in files.items()},
        "tensors": {key: told(tensor) for key, tensor in tensors_of(value).items()},
    }
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"torch": torch.__version__, "objects": result}) + "\n")
print(path, path.stat().st_size)
