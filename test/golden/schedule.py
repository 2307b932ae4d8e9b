"""Golden learning rates: PyTorch's OneCycleLR over a grid of its settings, and a warm-up followed by a cosine."""

import json
import math
import platform
from itertools import product
from pathlib import Path

import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

MAX_LR = 0.01


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


def main() -> None:
    """One line to a case: a change then shows as the cases that it touches."""
    header = {
        "source": "test/golden/schedule.py",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    sections = [f'  "header": {json.dumps(header)}']
    for name, cases in (("one_cycle", one_cycle()), ("warmup_cosine", warmup_cosine())):
        lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
        sections.append(f'  "{name}": [\n{lines}\n  ]')
    Path(__file__).with_name("schedule.json").write_text("{\n" + ",\n".join(sections) + "\n}\n")


if __name__ == "__main__":
    main()
