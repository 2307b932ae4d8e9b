"""Writes resized.json: pictures as torch.nn.functional.interpolate resizes them, in f64.

    /usr/bin/python3 test/golden/resized.py
"""

import json
from pathlib import Path

import torch

CASES = [  # height and width of the picture, of the result, antialias
    ((5, 7), (4, 6), False),
    ((5, 7), (4, 6), True),
    ((5, 7), (12, 9), False),
    ((5, 7), (12, 9), True),
    ((31, 17), (3, 5), False),
    ((31, 17), (3, 5), True),
    ((1, 6), (4, 2), True),
    ((9, 9), (9, 9), True),
]

generator = torch.Generator().manual_seed(5)
cases = []
for (height, width), size, antialias in CASES:
    picture = torch.randint(0, 256, (height, width, 3), generator=generator)
    channels_first = picture.permute(2, 0, 1)[None].double()
    found = torch.nn.functional.interpolate(
        channels_first, size=size, mode="bilinear", align_corners=False, antialias=antialias
    )
    cases.append(
        {
            "picture": {"height": height, "width": width, "rgb": picture.flatten().tolist()},
            "size": list(size),
            "antialias": antialias,
            "values": [round(value, 9) for value in found[0].permute(1, 2, 0).flatten().tolist()],
        }
    )

path = Path(__file__).with_name("resized.json")
path.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
