"""Golden update rules: 200 updates by every rule, in float64, of five small tensors with gradients that are given.

There is no model: start values and gradients are the f32 numbers of test/golden/rule.ts, whatever the weights do. So
nothing but the rule itself can make an engine part from these files. Lion, LARS and LAMB, which PyTorch lacks, are
written out below.
"""

import json
import math
import platform
import sys
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
# In units of the gradient's scale; f32 may place a quantity, whose sign decides, some 1e-7 of that aside.
MARGIN = 5e-7

# The order picks the streams. All rates and decays differ, so that no mix-up goes unseen.
TENSORS = {
    "a": {"shape": [1], "scale": 1.0, "lr_scale": 1.0, "weight_decay": 0.0},
    "b": {"shape": [3], "scale": 1e-3, "lr_scale": 0.3, "weight_decay": 0.1},
    "c": {"shape": [257], "scale": 0.1, "lr_scale": 0.1, "weight_decay": 0.01},
    "d": {"shape": [16, 17], "scale": 10.0, "lr_scale": 2.0, "weight_decay": 0.05},
    "e": {"shape": [64], "scale": 1.0, "lr_scale": 0.5, "weight_decay": 0.2},
}


def start_of(name: str) -> np.ndarray:
    """Uniform in (-1, 1), from stream 2000 + index."""
    shape = TENSORS[name]["shape"]
    index = list(TENSORS).index(name)
    return through_f32(noise(2000 + index, math.prod(shape)) / 2**32 * 2 - 1).reshape(shape)


def gradient_of(name: str, step: int) -> np.ndarray:
    """Uniform noise from stream 3000 + 16 * step + index, about a mean that depends on the element; then scaled."""
    shape, scale = TENSORS[name]["shape"], TENSORS[name]["scale"]
    index = list(TENSORS).index(name)
    drift = (np.arange(math.prod(shape)) % 7 - 3) / 6
    values = noise(3000 + 16 * step + index, math.prod(shape)) / 2**32 * 2 - 1
    return through_f32(scale * (values + drift)).reshape(shape)


class Written(Optimizer):
    """A rule that PyTorch lacks. Every group holds one tensor, whose `state` begins as zeros."""

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


class Lion(Written):
    """Chen et al. 2023: the sign of an average, decoupled decay."""

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
    """You et al. 2017: momentum of gradients that are brought to the length of their weights. lr outside the buffer."""

    slots = ("buf",)

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        decay = group["weight_decay"]
        p_norm, g_norm = p.norm().item(), g.norm().item()
        trust = 1.0
        if p_norm > 0 and g_norm > 0:
            trust = group["trust_coefficient"] * p_norm / (g_norm + decay * p_norm + group["eps"])
        buf = state["buf"]
        buf.copy_(group["momentum"] * buf + trust * (g + decay * p))
        p.sub_(group["lr"] * buf)


class LAMB(Written):
    """You et al. 2020: Adam's step plus decay, brought to the length of its weights. With bias correction."""

    slots = ("m", "v")

    def update(self, p: Tensor, g: Tensor, state: dict[str, Tensor], group: dict) -> None:
        beta1, beta2 = group["betas"]
        m, v = state["m"], state["v"]
        m.copy_(beta1 * m + (1 - beta1) * g)
        v.copy_(beta2 * v + (1 - beta2) * g * g)
        m_hat, v_hat = m / (1 - beta1**self.t), v / (1 - beta2**self.t)
        u = m_hat / (v_hat.sqrt() + group["eps"]) + group["weight_decay"] * p
        if p.numel() == 1:
            check_margin(u)  # A single number is scaled to |p| whatever it is: only its sign counts.
        p_norm, u_norm = p.norm().item(), u.norm().item()
        trust = p_norm / u_norm if p_norm > 0 and u_norm > 0 else 1.0
        p.sub_(group["lr"] * trust * u)


def check_margin(x: Tensor) -> None:
    """Fails where a sign is too close to call in f32."""
    nearest = x.abs().min().item()
    assert nearest > MARGIN, f"a sign is only {nearest:.1e} from turning: choose other streams, here and in rule.ts"


SGD_ = {"lr": 1e-2, "momentum": 0.0, "dampening": 0.0, "nesterov": False}
ADAM = {"lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8}
ADAGRAD = {"lr": 1e-2, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}
ADADELTA = {"lr": 1.0, "rho": 0.9, "eps": 1e-6}
RMSPROP = {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False}

# Written out in full, defaults and all: the file quotes these options to its readers.
CASES: dict[str, tuple[type[Optimizer], dict]] = {
    "sgd": (SGD, SGD_),
    "sgd_momentum": (SGD, SGD_ | {"momentum": 0.9}),
    "sgd_momentum_dampening": (SGD, SGD_ | {"momentum": 0.9, "dampening": 0.5}),
    "nesterov": (SGD, SGD_ | {"momentum": 0.9, "nesterov": True}),
    "adam": (Adam, ADAM | {"amsgrad": False}),
    "adam_amsgrad": (Adam, ADAM | {"amsgrad": True}),
    "adam_betas": (Adam, ADAM | {"betas": [0.5, 0.9], "amsgrad": False}),
    "adam_eps": (Adam, ADAM | {"eps": 1e-3, "amsgrad": False}),
    "adamw": (AdamW, ADAM | {"amsgrad": False}),
    "adamw_amsgrad": (AdamW, ADAM | {"amsgrad": True}),
    "adagrad": (Adagrad, ADAGRAD),
    "adagrad_decay": (Adagrad, ADAGRAD | {"lr_decay": 0.01, "initial_accumulator_value": 0.1}),
    "adadelta": (Adadelta, ADADELTA),
    "adadelta_rho": (Adadelta, ADADELTA | {"rho": 0.8, "eps": 1e-5}),
    "rmsprop": (RMSprop, RMSPROP),
    "rmsprop_momentum": (RMSprop, RMSPROP | {"momentum": 0.9}),
    "rmsprop_centered": (RMSprop, RMSPROP | {"centered": True}),
    "rmsprop_centered_momentum": (RMSprop, RMSPROP | {"momentum": 0.9, "centered": True}),
    "adamax": (Adamax, ADAM),
    "nadam": (NAdam, ADAM | {"momentum_decay": 4e-3}),
    "radam": (RAdam, ADAM),
    "lion": (Lion, {"lr": 1e-4, "betas": [0.9, 0.99]}),
    "lars": (LARS, {"lr": 0.1, "momentum": 0.9, "trust_coefficient": 1e-3, "eps": 1e-8}),
    "lamb": (LAMB, {"lr": 1e-2, "betas": [0.9, 0.999], "eps": 1e-6}),
}

# The loop over tensors in PyTorch 1.13's NAdam multiplies mu into mu_product_next twice; its `foreach` twin does not,
# nor does either of them since PyTorch 2.0 (pytorch/pytorch#92699).
HOW = {NAdam: {"foreach": True}}


def follow(case: str, dtype: torch.dtype) -> dict[str, np.ndarray]:
    """How far each tensor has moved, after all steps and after the marks, under the keys of the file."""
    make, options = CASES[case]
    params = {name: torch.tensor(start_of(name), dtype=dtype, requires_grad=True) for name in TENSORS}
    groups = [
        {
            "params": [params[name]],
            "lr": options["lr"] * tensor["lr_scale"],
            "weight_decay": tensor["weight_decay"],
            "scale": tensor["scale"],
        }
        for name, tensor in TENSORS.items()
    ]
    optimizer = make(groups, **options, **HOW.get(make, {}))
    moved = {}
    for step in range(STEPS):
        for name, p in params.items():
            p.grad = torch.tensor(gradient_of(name, step), dtype=dtype)
        optimizer.step()
        for name, p in params.items():
            distance = p.detach().numpy().astype(np.float64) - start_of(name)
            if step + 1 in MARKS:
                moved[f"{case}.{name}@{step + 1}"] = distance
            if step + 1 == STEPS:
                moved[f"{case}.{name}"] = distance
    return moved


def main() -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # PyTorch keeps NAdam's product of momenta in the default type.
    tensors: dict[str, np.ndarray] = {}
    for case in CASES:
        exact, rough = follow(case, torch.float64), follow(case, torch.float32)
        tensors |= exact
        strays = {key: np.linalg.norm(rough[key] - exact[key]) / np.linalg.norm(exact[key]) for key in exact}
        final = {key: stray for key, stray in strays.items() if "@" not in key}
        worst = max(final, key=final.__getitem__)
        print(f"{case}: in f32, PyTorch ends up to {final[worst]:.1e} of the path ({worst}) away")
    metadata = {
        "source": "test/golden/rule.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "steps": str(STEPS),
        "marks": json.dumps(MARKS),
        "cases": json.dumps({c: {"kind": make.__name__.lower(), "options": o} for c, (make, o) in CASES.items()}),
        "tensors": json.dumps({name: {k: t[k] for k in ("lr_scale", "weight_decay")} for name, t in TENSORS.items()}),
    }
    save(Path(__file__).with_suffix(".safetensors"), tensors, metadata)


if __name__ == "__main__":
    main()
