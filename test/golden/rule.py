"""Golden update rules: 200 updates by every rule, in float64, of five small tensors, and for norms a large one.

There is no model: start values and gradients are the f32 numbers of test/golden/rule.ts, whatever the weights do. So
nothing but the rule itself can make an engine part from this file. What PyTorch lacks is written out below: Lion,
LARS, LAMB, and the options by which other systems differ.

Weights kept in f32 are rounded at every step. Start values are so small, and rates so large, that this stays far below
1e-5 of the path, the distance between start and end; and every option and every decay bends the path by far more than
that. The script fails where one of the two does not hold.
"""

import json
import math
import platform
import sys
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, Optimizer, RAdam, RMSprop

sys.dont_write_bytecode = True  # The import below would leave a __pycache__ here.
from trajectory import noise, save, through_f32

STEPS = 200
MARKS = (1, 2, 10)
"""Steps after which displacements are written too: they tell a wrong start from a wrong rule."""
MARKED = ("a", "b", "e")
"""The tensors of which they are written."""
ONLY = {"f": ("lars", "lamb")}
"""The cases that have a large tensor: its size matters to norms alone, and among so many numbers some sign of Lion's is
always too close to call."""
DROP = {"step": 100, "factor": 0.5}
"""Rates fall once: only then do the two places of the rate beside a momentum differ."""
# In units of the gradient's scale; f32 may place a quantity, whose sign decides, some 1e-7 of that aside.
MARGIN = 5e-7
# Parts of the path: what f32 may cost, PyTorch's as ours, and what an option must make.
ROUGH, CLEAR = 1e-5, 1e-3

# The order picks the streams. All rates and decays differ, so that no mix-up goes unseen. Every tensor is a size of its
# own: less than a vec4f, less than a block, a block and one number, more blocks than a workgroup has lanes.
TENSORS = {
    "a": {"shape": [1], "scale": 1.0, "lr_scale": 1.0, "weight_decay": 0.0},
    "b": {"shape": [3], "scale": 1e-3, "lr_scale": 0.3, "weight_decay": 0.1},
    "c": {"shape": [257], "scale": 0.1, "lr_scale": 0.25, "weight_decay": 0.05},
    "d": {"shape": [16, 17], "scale": 10.0, "lr_scale": 2.0, "weight_decay": 0.15},
    "e": {"shape": [64], "scale": 1.0, "lr_scale": 0.5, "weight_decay": 0.2},
    "f": {"shape": [129, 128], "scale": 0.01, "lr_scale": 0.7, "weight_decay": 0.03},
}
EVERY = {"f": 209}
"""Of a large tensor, every so many numbers are written; these include the last one."""


def start_of(name: str, spread: float) -> np.ndarray:
    """Uniform in (-spread, spread), from stream 2000 + index; "e" starts from zeros."""
    shape = TENSORS[name]["shape"]
    index = list(TENSORS).index(name)
    spread = 0 if name == "e" else spread
    return through_f32(spread * (noise(2000 + index, math.prod(shape)) / 2**32 * 2 - 1)).reshape(shape)


@cache
def gradient_of(name: str, step: int) -> np.ndarray:
    """Uniform noise from stream 3000 + 16 * step + index, about a mean that depends on the element; then scaled.
    Every eighth gradient of "e" is zeros."""
    shape, scale = TENSORS[name]["shape"], TENSORS[name]["scale"]
    index = list(TENSORS).index(name)
    drift = (np.arange(math.prod(shape)) % 7 - 3) / 6
    values = noise(3000 + 16 * step + index, math.prod(shape)) / 2**32 * 2 - 1
    if name == "e" and step % 8 == 7:
        scale = 0
    return through_f32(scale * (values + drift)).reshape(shape)


class Written(Optimizer):
    """A rule that PyTorch lacks. Every group holds one tensor, whose `state` begins as zeros."""

    kind = ""
    slots: tuple[str, ...] = ()

    def __init__(self, params: list[dict], **options: object) -> None:
        super().__init__(params, options)
        self.t = 0

    @torch.no_grad()
    def step(self) -> None:
        self.t += 1
        for group in self.param_groups:
            (p,) = group["params"]
            state = self.state[p]
            for slot in self.slots:
                state.setdefault(slot, torch.zeros_like(p))
            self.update(p, p.grad, state, group)

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        raise NotImplementedError


class CaffeSGD(Written):
    """The rate is inside what momentum keeps."""

    kind = "sgd"
    slots = ("buf",)

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        momentum, buf = group["momentum"], state["buf"]
        change = group["lr"] * (g + group["weight_decay"] * p)
        share = 1 if self.t == 1 else 1 - group["dampening"]
        buf.copy_(momentum * buf + share * change)
        p.sub_(change + momentum * buf if group["nesterov"] else buf)


class PlacedAdam(Written):
    """Adam with eps before the bias correction (`eps_first`) or under the root (`eps_inside`). The corrected root is
    spelled out for each, with r = sqrt(1 - beta2^t)."""

    kind = "adam"
    slots = ("m", "v", "most")

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        p.sub_(group["lr"] * self.direction(g + group["weight_decay"] * p, state, group))

    def direction(self, g: Tensor, state: dict[str, Tensor], group: dict) -> Tensor:
        (beta1, beta2), eps = group["betas"], group["eps"]
        m, v, most = state["m"], state["v"], state["most"]
        m.copy_(beta1 * m + (1 - beta1) * g)
        v.copy_(beta2 * v + (1 - beta2) * g * g)
        most.copy_(torch.maximum(most, v))
        v = most if group.get("amsgrad") else v
        r = math.sqrt(1 - beta2**self.t)
        roots = {
            (False, False): lambda: v.sqrt() / r + eps,
            (False, True): lambda: (v.sqrt() + eps) / r,  # Kingma's "epsilon hat", TensorFlow
            (True, False): lambda: (v / r**2 + eps).sqrt(),  # eps_root of optax
            (True, True): lambda: (v + eps).sqrt() / r,
        }
        return m / (1 - beta1**self.t) / roots[group["eps_inside"], group["eps_first"]]()


class PlacedAdamW(PlacedAdam):
    kind = "adamw"

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.sub_(group["lr"] * self.direction(g, state, group))


class InsideAdagrad(Written):
    """eps under the root, as in Keras."""

    kind = "adagrad"
    slots = ("s",)

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        g = g + group["weight_decay"] * p
        s = state["s"]
        s.add_(g * g + (group["initial_accumulator_value"] if self.t == 1 else 0))
        p.sub_(group["lr"] / (1 + (self.t - 1) * group["lr_decay"]) * g / (s + group["eps"]).sqrt())


class InsideRMSprop(Written):
    """eps under the root, as in TensorFlow."""

    kind = "rmsprop"
    slots = ("s", "mean", "buf")

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        alpha, s, mean, buf = group["alpha"], state["s"], state["mean"], state["buf"]
        g = g + group["weight_decay"] * p
        s.copy_(alpha * s + (1 - alpha) * g * g)
        mean.copy_(alpha * mean + (1 - alpha) * g)
        spread = s - mean**2 if group["centered"] else s
        buf.copy_(group["momentum"] * buf + g / (spread + group["eps"]).sqrt())
        p.sub_(group["lr"] * buf)


class Lion(Written):
    """Chen et al. 2023: the sign of an average, decoupled decay."""

    kind = "lion"
    slots = ("m",)

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        beta1, beta2 = group["betas"]
        m = state["m"]
        direction = beta1 * m + (1 - beta1) * g
        check_margin(direction / group["scale"])
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.sub_(group["lr"] * direction.sign())
        m.copy_(beta2 * m + (1 - beta2) * g)


class LARS(Written):
    """You et al. 2017: momentum of gradients that are brought to the length of their weights. `lr_in_momentum` as in
    the paper and in Caffe, else outside the buffer. Decay that is decoupled is no part of the gradient, nor of its
    norm."""

    kind = "lars"
    slots = ("buf",)

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        lr, momentum, buf = group["lr"], group["momentum"], state["buf"]
        coupled, off = (0, group["weight_decay"]) if group["decoupled"] else (group["weight_decay"], 0)
        p_norm, g_norm = p.norm().item(), g.norm().item()
        trust = 1.0
        if p_norm > 0 and g_norm > 0:
            trust = group["trust_coefficient"] * p_norm / (g_norm + coupled * p_norm + group["eps"])
        inner, outer = (lr, 1) if group["lr_in_momentum"] else (1, lr)
        scaled = inner * trust * (g + coupled * p)
        buf.copy_(momentum * buf + scaled)
        p.mul_(1 - lr * off)
        p.sub_(outer * (scaled + momentum * buf if group["nesterov"] else buf))


class LAMB(PlacedAdam):
    """You et al. 2020: Adam's step plus decay, brought to the length of its weights. With bias correction."""

    kind = "lamb"

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        u = self.direction(g, state, group) + group["weight_decay"] * p
        if p.numel() == 1:
            check_margin(u)  # A single number is scaled to |p| whatever it is: only its sign counts.
        p_norm, u_norm = p.norm().item(), u.norm().item()
        trust = p_norm / u_norm if p_norm > 0 and u_norm > 0 else 1.0
        p.sub_(group["lr"] * trust * u)


def check_margin(x: Tensor) -> None:
    """Fails where a sign is too close to call in f32."""
    nearest = x.abs().min().item()
    assert nearest > MARGIN, f"a sign is only {nearest:.1e} from turning: choose other streams, here and in rule.ts"


SGD_ = {"lr": 0.1, "momentum": 0.0, "dampening": 0.0, "nesterov": False}
ADAM = {"lr": 1e-2, "betas": [0.9, 0.999], "eps": 1e-8}
ADAGRAD = {"lr": 1e-2, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}
ADADELTA = {"lr": 1.0, "rho": 0.9, "eps": 1e-6}
RMSPROP = {"lr": 2e-3, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False}
NADAM = ADAM | {"momentum_decay": 4e-3}
RADAM = ADAM | {"lr": 0.1}
LION = {"lr": 1e-2, "betas": [0.9, 0.99]}
LARS_ = {"lr": 0.1, "momentum": 0.5, "nesterov": False, "trust_coefficient": 0.25, "eps": 1e-8}
LARS_ |= {"decoupled": False, "lr_in_momentum": False}
LAMB_ = ADAM | {"lr": 0.03, "eps": 1e-6, "eps_inside": False, "eps_first": False}

PLAIN = {"amsgrad": False}
BETAS = {"betas": [0.5, 0.9]}
MOMENTUM = {"momentum": 0.9}
# So large that eps weighs as much as the smaller gradients do.
EPS = {"eps": 1e-3}
INSIDE = {"eps": 1e-6, "eps_inside": True}
DECOUPLED = {"decoupled": True}

# Written out in full, defaults and all: the file quotes these options to its readers.
CASES: dict[str, tuple[type[Optimizer], dict]] = {
    "sgd": (SGD, SGD_),
    "sgd_momentum": (SGD, SGD_ | MOMENTUM),
    "sgd_momentum_dampening": (SGD, SGD_ | MOMENTUM | {"dampening": 0.5}),
    "sgd_momentum_decoupled": (SGD, SGD_ | MOMENTUM | DECOUPLED),
    "sgd_rate_in_momentum": (CaffeSGD, SGD_ | MOMENTUM | {"lr_in_momentum": True}),
    "sgd_rate_in_momentum_dampening": (CaffeSGD, SGD_ | MOMENTUM | {"dampening": 0.5, "lr_in_momentum": True}),
    "nesterov": (SGD, SGD_ | MOMENTUM | {"nesterov": True}),
    "nesterov_rate_in_momentum": (CaffeSGD, SGD_ | MOMENTUM | {"nesterov": True, "lr_in_momentum": True}),
    "adam": (Adam, ADAM | PLAIN),
    "adam_betas_amsgrad": (Adam, ADAM | BETAS | {"amsgrad": True}),
    "adam_betas": (Adam, ADAM | BETAS | PLAIN),
    "adam_eps": (Adam, ADAM | EPS | PLAIN),
    "adam_eps_inside": (PlacedAdam, ADAM | PLAIN | INSIDE | {"eps_first": False}),
    "adam_eps_first": (PlacedAdam, ADAM | PLAIN | EPS | {"eps_inside": False, "eps_first": True}),
    "adam_eps_inside_first": (PlacedAdam, ADAM | PLAIN | INSIDE | {"eps_first": True}),
    "adam_amsgrad_eps_first": (
        PlacedAdam,
        ADAM | BETAS | EPS | {"amsgrad": True, "eps_inside": False, "eps_first": True},
    ),
    "adamw": (AdamW, ADAM | PLAIN),
    "adamw_betas": (AdamW, ADAM | BETAS | PLAIN),
    "adamw_betas_amsgrad": (AdamW, ADAM | BETAS | {"amsgrad": True}),
    "adamw_eps_inside": (PlacedAdamW, ADAM | PLAIN | INSIDE | {"eps_first": False}),
    "adamw_eps_first": (PlacedAdamW, ADAM | PLAIN | EPS | {"eps_inside": False, "eps_first": True}),
    "adagrad": (Adagrad, ADAGRAD),
    "adagrad_decay": (Adagrad, ADAGRAD | {"lr_decay": 0.01}),
    "adagrad_initial": (Adagrad, ADAGRAD | {"initial_accumulator_value": 0.1}),
    "adagrad_eps": (Adagrad, ADAGRAD | EPS),
    "adagrad_decoupled": (Adagrad, ADAGRAD | DECOUPLED),
    "adagrad_eps_inside": (InsideAdagrad, ADAGRAD | INSIDE),
    "adadelta": (Adadelta, ADADELTA),
    "adadelta_rho": (Adadelta, ADADELTA | {"rho": 0.8, "eps": 1e-5}),
    "adadelta_decoupled": (Adadelta, ADADELTA | DECOUPLED),
    "rmsprop": (RMSprop, RMSPROP),
    "rmsprop_eps": (RMSprop, RMSPROP | EPS),
    "rmsprop_momentum": (RMSprop, RMSPROP | MOMENTUM),
    "rmsprop_centered": (RMSprop, RMSPROP | {"centered": True}),
    "rmsprop_centered_momentum": (RMSprop, RMSPROP | MOMENTUM | {"centered": True}),
    "rmsprop_decoupled": (RMSprop, RMSPROP | DECOUPLED),
    "rmsprop_eps_inside": (InsideRMSprop, RMSPROP | INSIDE),
    "rmsprop_centered_momentum_eps_inside": (InsideRMSprop, RMSPROP | MOMENTUM | INSIDE | {"centered": True}),
    "adamax": (Adamax, ADAM),
    "adamax_eps": (Adamax, ADAM | EPS),
    "adamax_decoupled": (Adamax, ADAM | DECOUPLED),
    "nadam": (NAdam, NADAM),
    "nadam_eps": (NAdam, NADAM | EPS | {"momentum_decay": 0.5}),
    "nadam_decoupled": (NAdam, NADAM | DECOUPLED),
    "radam": (RAdam, RADAM),
    "radam_eps": (RAdam, RADAM | EPS | {"betas": [0.8, 0.99]}),
    "radam_decoupled": (RAdam, RADAM | DECOUPLED),
    "lion": (Lion, LION),
    "lion_betas": (Lion, LION | {"betas": [0.8, 0.95]}),
    "lars": (LARS, LARS_),
    "lars_eps": (LARS, LARS_ | {"eps": 0.02}),
    "lars_nesterov": (LARS, LARS_ | {"nesterov": True}),
    "lars_rate_in_momentum": (LARS, LARS_ | {"lr_in_momentum": True}),
    "lars_decoupled": (LARS, LARS_ | DECOUPLED),
    "lamb": (LAMB, LAMB_),
    "lamb_betas": (LAMB, LAMB_ | BETAS),
    "lamb_eps": (LAMB, LAMB_ | EPS),
    "lamb_eps_inside_first": (LAMB, LAMB_ | INSIDE | {"eps_first": True}),
}

# The loop over tensors in PyTorch 1.13's NAdam multiplies mu into mu_product_next twice; its `foreach` twin does not,
# nor does either of them since PyTorch 2.0 (pytorch/pytorch#92699).
HOW = {NAdam: {"foreach": True}}


def kind_of(case: str) -> str:
    make, _ = CASES[case]
    return make.kind if issubclass(make, Written) else make.__name__.lower()


def spread_of(case: str) -> float:
    """Start values are small, but where steps are in proportion to them."""
    return 1 if CASES[case][0] in (LARS, LAMB) else 1e-3


def follow(case: str, dtype: torch.dtype, decays: bool = True) -> dict[str, np.ndarray]:
    """How far each tensor has moved, after all steps and after the marks, under the keys of the file."""
    make, options = CASES[case]
    # No rule of PyTorch's looks at its weights but for the decay, so decoupled decay may come before its step.
    apart = options.get("decoupled", False) and not issubclass(make, Written)
    decay_of = {name: tensor["weight_decay"] if decays else 0.0 for name, tensor in TENSORS.items()}
    names = [name for name in TENSORS if case in ONLY.get(name, CASES)]
    start = {name: start_of(name, spread_of(case)) for name in names}
    params = {name: torch.tensor(start[name], dtype=dtype, requires_grad=True) for name in names}
    groups = [
        {
            "params": [params[name]],
            "lr": options["lr"] * TENSORS[name]["lr_scale"],
            "weight_decay": 0.0 if apart else decay_of[name],
            "scale": TENSORS[name]["scale"],
        }
        for name in names
    ]
    own = {name: value for name, value in options.items() if name != "decoupled" or not apart}
    optimizer = make(groups, **own, **HOW.get(make, {}))
    moved = {}
    for step in range(STEPS):
        for (name, p), group in zip(params.items(), optimizer.param_groups):
            if step == DROP["step"]:
                group["lr"] *= DROP["factor"]
            if apart:
                p.data.mul_(1 - group["lr"] * decay_of[name])
            p.grad = torch.tensor(gradient_of(name, step), dtype=dtype)
        optimizer.step()
        for name, p in params.items():
            distance = p.detach().numpy().astype(np.float64) - start[name]
            if step + 1 in MARKS and name in MARKED:
                moved[f"{case}.{name}@{step + 1}"] = distance
            if step + 1 == STEPS:
                moved[f"{case}.{name}"] = distance
    return moved


def apart_by(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, float]:
    """Distance in parts of the path of `one`, by tensor and mark."""
    parts = {}
    others = {key.partition(".")[2]: value for key, value in other.items()}
    for key, value in one.items():
        tensor = key.partition(".")[2]
        if tensor in others:
            parts[tensor] = np.linalg.norm(others[tensor] - value) / np.linalg.norm(value)
    return parts


def main() -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # PyTorch keeps NAdam's product of momenta in the default type.
    found: dict[str, dict[str, np.ndarray]] = {}
    wrong = []
    for case in CASES:
        exact = follow(case, torch.float64)
        strays = apart_by(exact, follow(case, torch.float32))
        worst = max(strays, key=strays.__getitem__)
        bends = apart_by(exact, follow(case, torch.float64, decays=False))
        least = min((t for t in bends if t in TENSORS and TENSORS[t]["weight_decay"] > 0), key=bends.__getitem__)
        print(f"{case}: f32 costs {strays[worst]:.1e} of the path ({worst}), decay makes {bends[least]:.1e} ({least})")
        if strays[worst] > ROUGH:
            wrong.append(f"{case}.{worst}: f32 costs {strays[worst]:.1e}")
        if bends[least] < CLEAR:
            wrong.append(f"{case}.{least}: decay makes only {bends[least]:.1e}")
        for other in found:
            away = max(apart_by(exact, found[other]).values())
            if kind_of(other) == kind_of(case) and away < CLEAR:
                wrong.append(f"{case}: only {away:.1e} from {other}")
        found[case] = exact
    assert not wrong, "\n".join(["These cases would not show every fault:", *wrong])
    tensors = {
        key: value.reshape(-1)[:: EVERY.get(key.partition(".")[2], 1)]
        for moved in found.values()
        for key, value in moved.items()
    }
    metadata = {
        "source": "test/golden/rule.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "steps": str(STEPS),
        "marks": json.dumps(MARKS),
        "drop": json.dumps(DROP),
        "every": json.dumps(EVERY),
        "cases": json.dumps(
            {
                case: {"kind": kind_of(case), "start": spread_of(case), "options": options}
                for case, (_, options) in CASES.items()
            }
        ),
        "tensors": json.dumps({name: {k: t[k] for k in ("lr_scale", "weight_decay")} for name, t in TENSORS.items()}),
    }
    save(Path(__file__).with_suffix(".safetensors"), tensors, metadata)


if __name__ == "__main__":
    main()
