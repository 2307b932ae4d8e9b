"""Losses as PyTorch has them, in float64: values and gradients by the output, for tiny shapes.

Each case names an output and a target, says whether samples have weights, and has options under Gradus's names, the loss and its gradient. What
PyTorch has no option for, weights of samples, is spelt out: the sum of weighted values divided by the sum of the weights, each times
that of its class where there are such. All that goes in are numbers that f32 holds.
"""

import itertools
import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

BATCH = 5
WEIGHT = [0.5, 2, 0, 1, 0.25]
inputs: dict[str, list] = {}


def known(values: list) -> str:
    """The name of an input; equal ones stand in the file once."""
    name = next((name for name, one in inputs.items() if one == values), f"in{len(inputs)}")
    inputs[name] = values
    return name


def numbers(seed: int, *shape: int, spread: float = 1.0) -> list:
    """Normal numbers in steps of 1/1024."""
    values = np.random.default_rng(seed).normal(size=shape) * spread
    return (np.round(values * 1024) / 1024).tolist()


def parts(seed: int, *shape: int) -> list:
    """Numbers from 0 to 1 in steps of 1/64, the first of each five 0, the next 1."""
    values = np.random.default_rng(seed).integers(0, 65, size=shape) / 64
    flat = values.reshape(-1)
    flat[::5], flat[1::5] = 0, 1
    return values.tolist()


def shares(seed: int, *shape: int) -> list:
    """Rows of eighths that add to 1."""
    random = np.random.default_rng(seed)
    rows = [random.multinomial(8, np.ones(shape[-1]) / shape[-1]) / 8 for _ in range(int(np.prod(shape[:-1])))]
    return np.array(rows).reshape(shape).tolist()


def tensor(values: list) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def case(loss: str, options: dict, output: list, target: list, weight: list | None, found) -> dict:
    z = tensor(output).requires_grad_()
    value = found(z, target, None if weight is None else tensor(weight))
    value.backward()
    made = {"loss": loss, "options": options, "output": known(output), "target": known(target), "weighted": weight is not None}
    return made | {"value": value.item(), "gradient": [float(f"{g:.11g}") for g in z.grad.reshape(-1).tolist()]}


def weighted(values: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """A mean of values, one weight for each sample."""
    if weight is None:
        return values.mean()
    w = weight.reshape(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return (w * values).sum() / w.sum()


def elements() -> list[dict]:
    shape = (BATCH, 3)
    of = {
        "meanSquaredError": ([{}], lambda o: lambda z, t: F.mse_loss(z, t, reduction="none")),
        "meanAbsoluteError": ([{}], lambda o: lambda z, t: F.l1_loss(z, t, reduction="none")),
        "huber": ([{}, {"delta": 0.25}, {"delta": 2.5}], lambda o: lambda z, t: F.huber_loss(z, t, reduction="none", **o)),
        "binaryCrossEntropy": (
            [{}, {"posWeight": 3.5}],
            lambda o: lambda z, t: F.binary_cross_entropy_with_logits(
                z, t, reduction="none", pos_weight=tensor([o["posWeight"]]) if o else None
            ),
        ),
    }
    made = []
    for seed, (name, (options, loss)) in enumerate(of.items()):
        for option, has_weight in itertools.product(options, [False, True]):
            spread = 40.0 if name == "binaryCrossEntropy" else 1.5
            target = parts(seed + 50, *shape) if name == "binaryCrossEntropy" else numbers(seed + 50, *shape)
            weight = WEIGHT if has_weight else None
            values = loss(option)
            made.append(
                case(name, option, numbers(seed, *shape, spread=spread), target, weight,
                     lambda z, t, w: weighted(values(z, tensor(t)), w))
            )
    return made


def divergences() -> list[dict]:
    made = []
    for shape, has_weight in itertools.product([(BATCH, 4), (BATCH, 2, 3)], [False, True]):
        weight = WEIGHT if has_weight else None

        def found(z: torch.Tensor, target: list, w: torch.Tensor | None) -> torch.Tensor:
            if w is None:
                return F.kl_div(z, tensor(target), reduction="batchmean")
            return weighted(F.kl_div(z, tensor(target), reduction="none").reshape(BATCH, -1).sum(1), w)

        made.append(case("klDivergence", {}, numbers(70, *shape, spread=2.0), shares(71, *shape), weight, found))
    return made


def rows(z: torch.Tensor) -> torch.Tensor:
    return z.reshape(-1, z.shape[-1])


def classes() -> list[dict]:
    """Cross-entropy: all options that go together, on [B, C] and [B, T, C]."""
    made = []
    choices = itertools.product([(BATCH, 4), (BATCH, 2, 3)], [0, 0.1], [False, True], ["", "label", "apart", "soft"], [False, True])
    for shape, smoothing, has_classes, kind, has_weight in choices:
        many = shape[-1]
        options: dict = {}
        if smoothing:
            options["labelSmoothing"] = smoothing
        if has_classes:
            options["classWeights"] = [0.5, 2, 0, 1.25][-many:]
        if kind == "soft":
            options["soft"] = True
        ignored = {"label": 1, "apart": -100}.get(kind, -1000)
        if kind in ("label", "apart"):
            options["ignoreIndex"] = ignored
        if kind == "soft":
            target = shares(81, *shape)
        else:
            labels = (np.arange(np.prod(shape[:-1])) * 5 + 1) % many
            if kind == "apart":
                labels[[1, 4]] = ignored
            target = labels.reshape(shape[:-1]).tolist()
        weight = WEIGHT if has_weight else None

        def found(z: torch.Tensor, target: list, w: torch.Tensor | None) -> torch.Tensor:
            given = {
                "weight": tensor(options["classWeights"]) if has_classes else None,
                "label_smoothing": smoothing,
            }
            if kind == "soft":
                t = rows(tensor(target))
                if w is None:
                    return F.cross_entropy(rows(z), t, **given)
                values = F.cross_entropy(rows(z), t, reduction="none", **given)
                return weighted(values.reshape(z.shape[:-1]), w)
            t = torch.tensor(target).reshape(-1)
            if w is None:
                return F.cross_entropy(rows(z), t, ignore_index=ignored, **given)
            values = F.cross_entropy(rows(z), t, ignore_index=ignored, reduction="none", **given)
            each = w.reshape(-1, 1).expand(BATCH, len(t) // BATCH).reshape(-1)
            real = t != ignored
            of_class = given["weight"][t.clamp(min=0)] if has_classes else torch.ones(len(t), dtype=torch.float64)
            return (each * values)[real].sum() / (each * of_class)[real].sum()

        made.append(case("crossEntropy", options, numbers(80, *shape, spread=2.0), target, weight, found))
    return made


def pairs() -> list[dict]:
    """InfoNCE in both directions, as in CLIP: of two outputs, with a row of zeros in one, and lengths that differ much."""
    made = []
    for temperature, has_weight in itertools.product([0.07, 1.0, 0.01], [False, True]):
        outputs = [numbers(90, BATCH, 7), numbers(91, BATCH, 7, spread=20.0)]
        outputs[1][3] = [0.0] * 7
        a, b = (tensor(one).requires_grad_() for one in outputs)
        logits = F.normalize(a) @ F.normalize(b).T / temperature
        labels = torch.arange(BATCH)
        values = sum(F.cross_entropy(one, labels, reduction="none") for one in (logits, logits.T)) / 2
        value = weighted(values, tensor(WEIGHT) if has_weight else None)
        value.backward()
        # Of a row of zeros PyTorch's gradient is 1e12 times what came, and no direction.
        b.grad[3] = 0
        gradients = [[float(f"{g:.11g}") for g in one.grad.reshape(-1).tolist()] for one in (a, b)]
        made.append(
            {"temperature": temperature, "outputs": outputs, "weighted": has_weight, "value": value.item(), "gradients": gradients}
        )
    return made


def main() -> None:
    made = {
        "source": "test/golden/losses.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    cases = [*elements(), *divergences(), *classes()]
    made |= {"weight": WEIGHT, "inputs": inputs}
    lines = ",\n".join(json.dumps(one) for one in cases)
    of_pairs = ",\n".join(json.dumps(one) for one in pairs())
    text = json.dumps(made)[:-1] + f', "pairs": [\n{of_pairs}\n], "cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("losses.json").write_text(text)


main()
