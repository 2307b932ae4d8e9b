"""Golden attention: what PyTorch computes, in float64.

`products` is scaled dot-product attention, spelled out, with gradients by autograd; `layers` is nn.MultiheadAttention, and with
shared heads of keys its projections around the same product; `rotary` turns pairs by cos and sin of f64 angles. All that goes in is
made by `numbers`, here and in test/golden/attention.ts, and held by f32. Of a long tensor every so many numbers are kept.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
from torch import nn

MOST = 61  # numbers kept of a tensor

PRODUCTS = [
    {"batch": 1, "queries": 1, "keys": 1, "heads": 1, "keyHeads": 1, "length": 4},
    {"batch": 2, "queries": 5, "keys": 7, "heads": 2, "keyHeads": 2, "length": 3, "masked": True},
    {"batch": 2, "queries": 6, "keys": 6, "heads": 4, "keyHeads": 2, "length": 4, "causal": True},
    {"batch": 1, "queries": 7, "keys": 4, "heads": 3, "keyHeads": 1, "length": 5, "causal": True, "scale": 0.7},
    {"batch": 2, "queries": 65, "keys": 65, "heads": 1, "keyHeads": 1, "length": 6, "causal": True, "masked": True},
    {"batch": 1, "queries": 300, "keys": 300, "heads": 2, "keyHeads": 1, "length": 4},
    {"batch": 1, "queries": 3, "keys": 300, "heads": 1, "keyHeads": 1, "length": 7, "masked": True},
]
LAYERS = [
    {"batch": 3, "queries": 5, "features": 6, "heads": 3, "keyHeads": 3, "causal": True},
    {"batch": 3, "queries": 4, "features": 8, "heads": 2, "keyHeads": 2},
    {"batch": 2, "queries": 5, "features": 8, "heads": 4, "keyHeads": 2, "causal": True},
    {"batch": 3, "queries": 4, "features": 6, "heads": 2, "keyHeads": 2, "keys": 7, "valueFeatures": 5, "masked": True},
]
BLOCKS = [
    {"batch": 2, "queries": 5, "features": 8, "heads": 2, "hidden": 12, "norm": "pre", "causal": True},
    {"batch": 3, "queries": 4, "features": 6, "heads": 3, "hidden": 7, "norm": "post", "causal": False},
]
ROTARY = [
    {"shape": [1, 7, 2, 6], "base": 10000, "interleaved": False},
    {"shape": [1, 7, 2, 6], "base": 10000, "interleaved": True},
    {"shape": [1, 4097, 4], "base": 500000, "interleaved": False},
]


def numbers(salt: int, *shape: int, spread: float = 1.0) -> torch.Tensor:
    """Numbers in steps of 1/512 of `spread`, a power of 2, from -1 to 1."""
    i = np.arange(1, int(np.prod(shape)) + 1, dtype=np.int64)
    values = ((i * i * 31 + i * 17 + salt * 101) % 1021 - 510) / 512 * spread
    return torch.tensor(values.reshape(shape), dtype=torch.float64)


def hidden(batch: int, keys: int) -> torch.Tensor:
    """Every third key but the first is hidden."""
    place = torch.arange(batch * keys).reshape(batch, keys)
    return (place % 3 == 2) & (torch.arange(keys) > 0)


def kept(tensor: torch.Tensor) -> list[float]:
    flat = tensor.detach().reshape(-1)
    every = -(-flat.numel() // MOST)
    return [float(f"{value:.12g}") for value in flat[::every].tolist()]


def look(q, k, v, heads, keyHeads, causal=False, scale=None, hide=None):
    """[B, T, heads D] by [B, S, keyHeads D]: softmax(scale q k^T) v."""
    def split(x, count):
        return x.reshape(*x.shape[:2], count, -1).transpose(1, 2)

    q, k, v = split(q, heads), split(k, keyHeads), split(v, keyHeads)
    k, v = (x.repeat_interleave(heads // keyHeads, 1) for x in (k, v))
    scores = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if causal:
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), float("-inf"))
    if hide is not None:
        scores = scores.masked_fill(hide[:, None, None], float("-inf"))
    return (torch.softmax(scores, -1) @ v).transpose(1, 2).flatten(2)


def product(case: dict) -> dict:
    B, T, S, H, K, D = (case[name] for name in ("batch", "queries", "keys", "heads", "keyHeads", "length"))
    q, k, v = numbers(1, B, T, H * D, spread=2.0), numbers(2, B, S, K * D, spread=2.0), numbers(3, B, S, K * D)
    inputs = [x.requires_grad_() for x in (q, k, v)]
    hide = hidden(B, S) if case.get("masked") else None
    y = look(*inputs, H, K, case.get("causal", False), case.get("scale"), hide)
    # The gradient of the mean of (y - target)^2.
    ((y - numbers(4, B, T, H * D)) ** 2).mean().backward()
    return case | {"y": kept(y)} | {f"d{name}": kept(x.grad) for name, x in zip("qkv", inputs)}


def layer(case: dict) -> dict:
    B, T, E, H, K = (case[name] for name in ("batch", "queries", "features", "heads", "keyHeads"))
    S, F = case.get("keys", T), case.get("valueFeatures", E)
    sizes = {"query": (E, E), "key": (F, E * K // H), "value": (F, E * K // H), "output": (E, E)}
    w = {}
    for i, (name, (inputs, units)) in enumerate(sizes.items()):
        w[f"{name}.weight"] = numbers(10 + i, inputs, units).requires_grad_()
        w[f"{name}.bias"] = numbers(20 + i, units, spread=0.25).requires_grad_()
    x = numbers(1, B, T, E)
    value = numbers(2, B, S, F) if "keys" in case else x
    hide = hidden(B, S) if case.get("masked") else None
    own = look(
        *(from_ @ w[f"{name}.weight"] + w[f"{name}.bias"] for name, from_ in (("query", x), ("key", value), ("value", value))),
        H, K, case.get("causal", False), None, hide,
    ) @ w["output.weight"] + w["output.bias"]
    ((own - numbers(4, B, T, E)) ** 2).mean().backward()
    y, gradients = own, {name: one.grad for name, one in w.items()}
    if K == H:
        y, gradients = torchs(case, x, value, hide, w)
        assert torch.allclose(y, own, rtol=1e-12, atol=1e-13)
        for name, one in w.items():
            assert torch.allclose(gradients[name], one.grad, rtol=1e-11, atol=1e-13), name
    return case | {"y": kept(y), "gradients": {name: kept(one) for name, one in gradients.items()}}


def torchs(case: dict, x, value, hide, w):
    """nn.MultiheadAttention with the same weights, which it has transposed."""
    E, T = case["features"], case["queries"]
    cross = value is not x
    F = value.shape[-1]
    attention = nn.MultiheadAttention(E, case["heads"], kdim=F, vdim=F, batch_first=True, dtype=torch.float64)
    names = ("query", "key", "value")
    separate = cross and F != E
    with torch.no_grad():
        for i, name in enumerate(names):
            own = getattr(attention, f"{name[0]}_proj_weight") if separate else attention.in_proj_weight[i * E : (i + 1) * E]
            own.copy_(w[f"{name}.weight"].T)
            attention.in_proj_bias[i * E : (i + 1) * E].copy_(w[f"{name}.bias"])
        attention.out_proj.weight.copy_(w["output.weight"].T)
        attention.out_proj.bias.copy_(w["output.bias"])
    never = ~torch.ones(T, T, dtype=torch.bool).tril() if case.get("causal") else None
    y, _ = attention(x, value, value, key_padding_mask=hide, attn_mask=never)
    ((y - numbers(4, *y.shape)) ** 2).mean().backward()
    gradients = {"output.weight": attention.out_proj.weight.grad.T, "output.bias": attention.out_proj.bias.grad}
    for i, name in enumerate(names):
        rows = slice(i * E, (i + 1) * E)
        weight = getattr(attention, f"{name[0]}_proj_weight").grad if separate else attention.in_proj_weight.grad[rows]
        gradients |= {f"{name}.weight": weight.T, f"{name}.bias": attention.in_proj_bias.grad[rows]}
    return y, gradients


def block(case: dict) -> dict:
    """nn.TransformerEncoderLayer; weights are transposed, and those of its projections lie below each other."""
    B, T, C, H, N = (case[name] for name in ("batch", "queries", "features", "heads", "hidden"))
    names = {"norm1.gamma": [C], "norm1.beta": [C]}
    for part in ("query", "key", "value", "output"):
        names |= {f"attention.{part}.weight": [C, C], f"attention.{part}.bias": [C]}
    names |= {"norm2.gamma": [C], "norm2.beta": [C], "hidden.weight": [C, N], "hidden.bias": [N]}
    names |= {"output.weight": [N, C], "output.bias": [C]}
    w = {name: numbers(30 + i, *shape).requires_grad_() for i, (name, shape) in enumerate(names.items())}
    layer = nn.TransformerEncoderLayer(
        C, H, N, dropout=0.0, activation="gelu", batch_first=True, norm_first=case["norm"] == "pre", dtype=torch.float64
    )
    rows = [f"attention.{part}" for part in ("query", "key", "value")]
    given = {
        "self_attn.in_proj_weight": torch.cat([w[f"{row}.weight"].T for row in rows]),
        "self_attn.in_proj_bias": torch.cat([w[f"{row}.bias"] for row in rows]),
        "self_attn.out_proj.weight": w["attention.output.weight"].T,
        "self_attn.out_proj.bias": w["attention.output.bias"],
        "linear1.weight": w["hidden.weight"].T,
        "linear1.bias": w["hidden.bias"],
        "linear2.weight": w["output.weight"].T,
        "linear2.bias": w["output.bias"],
    } | {f"norm{i}.{theirs}": w[f"norm{i}.{ours}"] for i in (1, 2) for ours, theirs in (("gamma", "weight"), ("beta", "bias"))}
    never = ~torch.ones(T, T, dtype=torch.bool).tril() if case["causal"] else None
    y = torch.nn.utils.stateless.functional_call(layer, given, (numbers(1, B, T, C),), {"src_mask": never})
    ((y - numbers(4, B, T, C)) ** 2).mean().backward()
    return case | {"shapes": names, "y": kept(y), "gradients": {name: kept(one.grad) for name, one in w.items()}}


def rotary(case: dict) -> dict:
    shape = case["shape"]
    D = shape[-1]
    x = numbers(1, *shape).requires_grad_()
    speeds = float(case["base"]) ** (-2 * torch.arange(D // 2, dtype=torch.float64) / D)
    angle = torch.arange(shape[1], dtype=torch.float64).reshape(-1, *[1] * (len(shape) - 2)) * speeds
    cos, sin = torch.cos(angle), torch.sin(angle)
    if case["interleaved"]:
        a, b = x[..., 0::2], x[..., 1::2]
        y = torch.stack((a * cos - b * sin, b * cos + a * sin), -1).flatten(-2)
    else:
        a, b = x[..., : D // 2], x[..., D // 2 :]
        y = torch.cat((a * cos - b * sin, b * cos + a * sin), -1)
    ((y - numbers(4, *shape)) ** 2).mean().backward()
    return case | {"y": kept(y), "dx": kept(x.grad)}


def main() -> None:
    torch.set_num_threads(1)
    made = {
        "source": "test/golden/attention.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "most": MOST,
        "products": [product(case) for case in PRODUCTS],
        "layers": [layer(case) for case in LAYERS],
        "blocks": [block(case) for case in BLOCKS],
        "rotary": [rotary(case) for case in ROTARY],
    }
    Path(__file__).with_name("attention.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
