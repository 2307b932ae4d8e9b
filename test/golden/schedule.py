"""Golden learning rates.

`schedule.json`: PyTorch's OneCycleLR over a grid of its settings, and a warm-up followed by a cosine. `schedulers.json`:
every scheduler of PyTorch that is a function of time, and schedules that PyTorch does not have, written out here.
`momentum.json`: the momentum that OneCycleLR and CyclicLR cycle. `plateau.json`: ReduceLROnPlateau on metrics of all kinds.
"""

import json
import math
import platform
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path

import torch
from torch.optim import SGD, Adam, Optimizer, RMSprop
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

MAX_LR = 0.01
# Two groups whose rates are no multiples of one another by a power of two.
BASES = (0.1, 0.003)


def optimizer() -> Optimizer:
    """A schedule needs an optimizer to act on; one parameter without a gradient will do."""
    return SGD([torch.zeros(1, requires_grad=True)], lr=MAX_LR)


def rates(scheduler: LambdaLR | OneCycleLR, count: int) -> list[float]:
    """The rate each of the first `count` updates would use."""
    lrs = scheduler.get_last_lr()
    while len(lrs) < count:
        scheduler.optimizer.step()  # PyTorch warns when a schedule moves ahead of its optimizer.
        scheduler.step()
        lrs += scheduler.get_last_lr()
    return lrs


def one_cycle() -> list[dict[str, object]]:
    """The grid, under PyTorch's argument names.

    Where pct_start * total_steps is 1 the rise takes no steps at all and PyTorch divides by zero: no golden exists.
    """
    grid = product((100, 37, 10), ("cos", "linear"), (False, True), (0.3, 0.1), ((25.0, 1e4), (10.0, 100.0)))
    cases = []
    for total_steps, anneal, three_phase, pct_start, (div, final_div) in grid:
        if pct_start * total_steps == 1:
            continue
        case = {
            "max_lr": MAX_LR,
            "total_steps": total_steps,
            "anneal_strategy": anneal,
            "three_phase": three_phase,
            "pct_start": pct_start,
            "div_factor": div,
            "final_div_factor": final_div,
        }
        scheduler = OneCycleLR(optimizer(), cycle_momentum=False, **case)
        cases.append({**case, "lrs": rates(scheduler, total_steps)})
    return cases


def warmup_cosine() -> list[dict[str, object]]:
    """A linear rise from 0 over `warmup` steps, half a cosine down to 0 at `total`, and a few steps beyond."""
    cases = []
    for warmup, total in ((0, 20), (5, 50), (10, 100)):

        def factor(t: int) -> float:
            if t < warmup:
                return t / warmup
            return 0.5 * (1 + math.cos(math.pi * (min(t, total) - warmup) / (total - warmup)))

        lrs = rates(LambdaLR(optimizer(), factor), total + 5)
        cases.append({"lr": MAX_LR, "warmup": warmup, "total": total, "lrs": lrs})
    return cases



FUNCTIONS: dict[str, Callable[[int], float]] = {
    "0.95^t": lambda t: 0.95**t,
    "1/(1+t)": lambda t: 1 / (1 + t),
    "0.9+0.1/t": lambda t: 0.9 + 0.1 / t,
}


def warmup_linear(t: int, warmup: int, total: int, floor: float) -> float:
    if t < warmup:
        return t / warmup
    return floor + (1 - floor) * max(0, total - t) / (total - warmup)


def warmup_inverse_sqrt(t: int, warmup: int, timescale: int) -> float:
    if t < warmup:
        return t / warmup
    shift = timescale - warmup
    return 1 / math.sqrt((t + shift) / timescale)


def wsd(t: int, warmup: int, stable: int, decay: int, floor: float) -> float:
    """Hägele et al. 2024, with 1 - sqrt for the decay."""
    if t < warmup:
        return t / warmup
    if t < warmup + stable:
        return 1.0
    if t < warmup + stable + decay:
        return (1 - math.sqrt((t - warmup - stable) / decay)) * (1 - floor) + floor
    return floor


def slanted_triangular(t: int, total: int, cut_frac: float, ratio: float) -> float:
    """Howard and Ruder 2018, equation 3; past its end it stays where it ended."""
    cut = math.floor(total * cut_frac)
    p = t / cut if t < cut else 1 - (min(t, total) - cut) / (cut * (1 / cut_frac - 1))
    return (1 + p * (ratio - 1)) / ratio


FORMULAS = {f.__name__: f for f in (warmup_linear, warmup_inverse_sqrt, wsd, slanted_triangular)}

# Scheduler, settings under PyTorch's names, number of updates. Each trajectory goes on past what its settings tell.
CASES: tuple[tuple[str, dict[str, object], int], ...] = (
    ("LambdaLR", {"lr_lambda": "0.95^t"}, 30),
    ("LambdaLR", {"lr_lambda": "1/(1+t)"}, 30),
    ("MultiplicativeLR", {"lr_lambda": "0.9+0.1/t"}, 30),
    ("StepLR", {"step_size": 4}, 18),
    ("StepLR", {"step_size": 7, "gamma": 0.5}, 30),
    ("MultiStepLR", {"milestones": [3, 8, 8, 15]}, 20),
    ("MultiStepLR", {"milestones": [12, 5], "gamma": 0.3}, 20),
    ("ConstantLR", {}, 8),
    ("ConstantLR", {"factor": 0.7, "total_iters": 12}, 16),
    ("LinearLR", {}, 8),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 17}, 24),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.8, "total_iters": 10}, 14),
    ("ExponentialLR", {"gamma": 0.9}, 40),
    ("PolynomialLR", {}, 8),
    ("PolynomialLR", {"total_iters": 13, "power": 2.0}, 18),
    ("PolynomialLR", {"total_iters": 13, "power": 0.5}, 18),
    ("CosineAnnealingLR", {"T_max": 10}, 45),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.001}, 45),
    ("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.0005}, 110),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}, 35),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}, 60),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}, 50),
    ("CyclicLR", {"base_lr": [0.02, 0.001], "step_size_up": 5}, 32),
    ("CyclicLR", {"base_lr": [0.02, 0.001], "step_size_up": 3, "step_size_down": 7, "mode": "triangular2"}, 45),
    (
        "CyclicLR",
        {"base_lr": [0.0, 0.001], "step_size_up": 6, "step_size_down": 4, "mode": "exp_range", "gamma": 0.97},
        45,
    ),
    ("OneCycleLR", {"total_steps": 20}, 20),
    ("OneCycleLR", {"total_steps": 33, "three_phase": True, "anneal_strategy": "linear"}, 33),
    (
        "SequentialLR",
        {
            "schedulers": [
                ("LinearLR", {"start_factor": 0.1, "total_iters": 5}),
                ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.001}),
                ("ExponentialLR", {"gamma": 0.8}),
            ],
            "milestones": [5, 20],
        },
        35,
    ),
    (
        "SequentialLR",
        {
            "schedulers": [
                ("ConstantLR", {"factor": 0.25, "total_iters": 100}),
                ("StepLR", {"step_size": 3, "gamma": 0.5}),
                ("PolynomialLR", {"total_iters": 6}),
                ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2}),
            ],
            "milestones": [4, 12, 16],
        },
        40,
    ),
    (
        "ChainedScheduler",
        {"schedulers": [("ConstantLR", {"factor": 0.1, "total_iters": 2}), ("ExponentialLR", {"gamma": 0.9})]},
        20,
    ),
    (
        "ChainedScheduler",
        {
            "schedulers": [
                ("LinearLR", {"start_factor": 0.2, "total_iters": 6}),
                ("MultiStepLR", {"milestones": [4, 9], "gamma": 0.5}),
                ("PolynomialLR", {"total_iters": 15}),
                ("MultiplicativeLR", {"lr_lambda": "0.9+0.1/t"}),
            ]
        },
        20,
    ),
    # Up to the cosine's first zero, after which PyTorch's recursion forgets the other factors.
    ("ChainedScheduler", {"schedulers": [("CosineAnnealingLR", {"T_max": 14}), ("StepLR", {"step_size": 4})]}, 15),
    ("warmup_linear", {"warmup": 5, "total": 20, "floor": 0.0}, 25),
    ("warmup_linear", {"warmup": 0, "total": 12, "floor": 0.1}, 16),
    ("warmup_inverse_sqrt", {"warmup": 6, "timescale": 6}, 40),
    ("warmup_inverse_sqrt", {"warmup": 4, "timescale": 10}, 40),
    ("wsd", {"warmup": 5, "stable": 19, "decay": 6, "floor": 0.0}, 34),
    ("wsd", {"warmup": 0, "stable": 1, "decay": 9, "floor": 0.05}, 14),
    ("slanted_triangular", {"total": 30, "cut_frac": 0.1, "ratio": 32}, 34),
    ("slanted_triangular", {"total": 40, "cut_frac": 0.25, "ratio": 10}, 45),
)


def scheduler(name: str, args: dict[str, object], on: Optimizer) -> lr_scheduler._LRScheduler:
    """One of PyTorch's, or a formula of this file as a LambdaLR."""
    if name in FORMULAS:
        return LambdaLR(on, lambda t: FORMULAS[name](t, **args))
    known = dict(args)
    if "lr_lambda" in known:
        known["lr_lambda"] = FUNCTIONS[known["lr_lambda"]]
    if "schedulers" in known:
        known["schedulers"] = [scheduler(child, settings, on) for child, settings in known["schedulers"]]
    if name == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler(**known)
    if name in ("CyclicLR", "OneCycleLR"):
        known |= {"max_lr": list(BASES), "cycle_momentum": False}
    return getattr(lr_scheduler, name)(on, **known)


def schedulers() -> list[dict[str, object]]:
    """`lrs[g][t]` is the rate of group g at update t. The base rate of group g is BASES[g], with cycles their peak."""
    cases = []
    for name, args, count in CASES:
        on = SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in BASES], lr=MAX_LR)
        steps = scheduler(name, args, on)
        lrs = [[group["lr"]] for group in on.param_groups]
        for _ in range(count - 1):
            on.step()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # SequentialLR calls step(0), which warns of itself.
                steps.step()
            for own, group in zip(lrs, on.param_groups):
                own.append(group["lr"])
        cases.append({"scheduler": name, "args": args, "bases": BASES, "lrs": lrs})
    return cases


# Momentum at the height of the rate, and at its lowest, of two groups.
BASE_MOMENTUM = (0.85, 0.7)
MAX_MOMENTUM = (0.95, 0.9)

# Scheduler, settings, number of updates, whether at its own default momentums: OneCycleLR to its last step, CyclicLR over
# some cycles. CyclicLR of this version cycles no betas.
MOMENTUM_CASES: tuple[tuple[str, dict[str, object], int, bool], ...] = (
    ("OneCycleLR", {"total_steps": 50}, 50, True),
    *(
        (
            "OneCycleLR",
            {"total_steps": total, "anneal_strategy": anneal, "three_phase": three, "pct_start": pct},
            total,
            False,
        )
        for total, anneal, three, pct in product((37, 20), ("cos", "linear"), (False, True), (0.3, 0.15))
    ),
    ("CyclicLR", {"step_size_up": 5}, 32, True),
    ("CyclicLR", {"step_size_up": 3, "step_size_down": 7}, 45, False),
    ("CyclicLR", {"step_size_up": 3, "step_size_down": 7, "mode": "triangular2"}, 45, False),
    ("CyclicLR", {"step_size_up": 6, "step_size_down": 4, "mode": "exp_range", "gamma": 0.97}, 45, False),
)


def momentums() -> list[dict[str, object]]:
    """`momentums[g][t]` is the momentum of group g at update t, or its first beta: the same for all of `optimizers`."""
    cases = []
    for name, args, count, defaults in MOMENTUM_CASES:
        given = {} if defaults else {"base_momentum": BASE_MOMENTUM, "max_momentum": MAX_MOMENTUM}
        rules = (SGD, RMSprop) + ((Adam,) if name == "OneCycleLR" else ())
        found = []
        for rule in rules:
            own = {} if rule is Adam else {"momentum": 0.5}
            on = rule([{"params": [torch.zeros(1, requires_grad=True)]} for _ in BASES], lr=MAX_LR, **own)
            rates = {"max_lr": MAX_LR} | ({"base_lr": 0.001} if name == "CyclicLR" else {})
            steps = getattr(lr_scheduler, name)(on, **rates, **given, **args)
            rows = [[] for _ in BASES]
            for t in range(count):
                if t > 0:
                    on.step()
                    steps.step()
                for row, group in zip(rows, on.param_groups):
                    row.append(group["betas"][0] if rule is Adam else group["momentum"])
            found.append(rows)
        assert all(rows == found[0] for rows in found)
        names = [rule.__name__ for rule in rules]
        cases.append({"scheduler": name, "optimizers": names, "args": {**args, **given}, "momentums": found[0]})
    return cases


NOISE = [round(1 / (1 + 0.2 * t) + 0.15 * math.sin(2.3 * t * t), 6) for t in range(60)]
METRICS: dict[str, list[float]] = {
    "improving": [2 * 0.97**t for t in range(40)],
    # Better by less than a threshold of 1e-4 for each, by more than it in all.
    "creeping": [1 - 3e-5 * t for t in range(40)],
    "flat": [0.5] * 60,
    "noisy": NOISE,
    "falling then noisy": [3 - 0.2 * t for t in range(12)] + NOISE[12:],
    "negative": [-0.1 * t % -1.3 for t in range(50)],
    "nan": [1.0, math.nan, 0.9, math.nan, math.nan, math.nan, math.nan, 0.8, math.nan, 0.95, 0.9, 0.9, 0.7] + [math.nan] * 8,
    "nan first": [math.nan] * 5 + [0.4] * 10,
    "infinite": [math.inf, math.inf, 1.0, math.inf, -math.inf, -2.0, -math.inf, -3.0, math.inf, 5.0, 5.0, 5.0],
}
PLATEAU_ARGS: tuple[dict[str, object], ...] = (
    {},
    {"patience": 2},
    {"patience": 0, "factor": 0.5, "min_lr": [0.02, 0.0]},
    {"patience": 2, "factor": 0.5, "min_lr": [0.02, 0.0007], "cooldown": 3},
    {"patience": 1, "factor": 0.7, "min_lr": 0.001, "cooldown": 1, "threshold": 0.05},
    {"patience": 2, "factor": 0.6, "threshold": 0.03, "threshold_mode": "abs"},
    {"patience": 2, "factor": 0.6, "mode": "max"},
    {"patience": 3, "factor": 0.3, "mode": "max", "threshold": 0.02, "threshold_mode": "abs", "min_lr": [0.0, 0.001]},
    {"patience": 1, "factor": 0.5, "eps": 1e-3},
    {"patience": 0, "factor": 0.0, "min_lr": [0.03, 0.001]},
)


def plateaus() -> list[dict[str, object]]:
    """`lrs[g][i]` is the rate of group g after metric i, `bad[i]` and `cooldown[i]` are PyTorch's counters then."""
    cases = []
    for (metric, values), args in product(METRICS.items(), PLATEAU_ARGS):
        on = SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in BASES], lr=MAX_LR)
        plateau = lr_scheduler.ReduceLROnPlateau(on, **args)
        lrs, bad, cooldown = [[] for _ in BASES], [], []
        for value in values:
            plateau.step(value)
            for row, group in zip(lrs, on.param_groups):
                row.append(group["lr"])
            bad.append(plateau.num_bad_epochs)
            cooldown.append(plateau.cooldown_counter)
        cases.append({"metric": metric, "args": args, "lrs": lrs, "bad": bad, "cooldown": cooldown})
    return cases


def metrics() -> list[dict[str, object]]:
    """JSON has no word for a value that is not finite: it stands as text that JavaScript's Number() reads."""
    words = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return [
        {"name": name, "values": ["NaN" if value != value else words.get(value, value) for value in values]}
        for name, values in METRICS.items()
    ]


def write(name: str, **sections: list[dict[str, object]]) -> None:
    """One line to a case: a change then shows as the cases that it touches."""
    header = {
        "source": "test/golden/schedule.py",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    texts = [f'  "header": {json.dumps(header)}']
    for section, cases in sections.items():
        lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
        texts.append(f'  "{section}": [\n{lines}\n  ]')
    Path(__file__).with_name(name).write_text("{\n" + ",\n".join(texts) + "\n}\n")


def main() -> None:
    write("schedule.json", one_cycle=one_cycle(), warmup_cosine=warmup_cosine())
    write("schedulers.json", schedulers=schedulers())
    write("momentum.json", momentums=momentums())
    write("plateau.json", metrics=metrics(), plateaus=plateaus())


if __name__ == "__main__":
    main()
