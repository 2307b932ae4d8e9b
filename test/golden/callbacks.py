"""Golden runs of Keras' callbacks: when EarlyStopping ends a fit, and the rates of ReduceLROnPlateau after each epoch.

The callbacks are Keras' own files; what else they import, a backend and its arrays, is stood in for by Python's numbers.
"""

import importlib.util
import json
import operator
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np

keras = Path(importlib.util.find_spec("keras").origin).parent
VERSION = next(
    line.split('"')[1] for line in (keras / "src/version.py").read_text().splitlines() if line.startswith("__version__")
)


class Callback:
    model = None


def module(name: str, **contents) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made
    return made


def own(name: str) -> ModuleType:
    """A file of Keras as it is."""
    spec = importlib.util.spec_from_file_location(f"keras.src.callbacks.{name}", keras / f"src/callbacks/{name}.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


ops = SimpleNamespace(less=operator.lt, greater=operator.gt)
backend = SimpleNamespace(convert_to_numpy=np.float64)
module("keras", __path__=[])
module("keras.src", ops=ops, backend=backend, __path__=[])
module("keras.src.api_export", keras_export=lambda *_: lambda one: one)
module("keras.src.callbacks", __path__=[])
module("keras.src.callbacks.callback", Callback=Callback)
module("keras.src.trainers", compile_utils=SimpleNamespace(CompileMetrics=tuple, MetricsList=tuple))
module("keras.src.utils", io_utils=SimpleNamespace(print_msg=print))
own("monitor_callback")
EarlyStopping = own("early_stopping").EarlyStopping
ReduceLROnPlateau = own("reduce_lr_on_plateau").ReduceLROnPlateau

NAN = float("nan")
METRICS = [
    [1, 0.9, 0.8, 0.85, 0.79, 0.81, 0.82, 0.83, 0.7, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76, 0.77],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [0.2, 0.3, 0.5, 0.49, 0.48, 0.6, 0.59, 0.58, 0.57, 0.56, 0.8, 0.8, 0.8, 0.8],
    [1, 0.995, 0.99, 0.985, 0.98, 0.975, 0.97, 0.965, 0.96, 0.955],
    [1, NAN, 0.5, 0.55, NAN, 0.6, 0.4, NAN, 0.5, 0.6],
]
STOPPING = [
    {"patience": patience, "min_delta": delta, "mode": mode, "baseline": baseline, "start_from_epoch": start}
    for patience in [0, 1, 3]
    for delta in [0, 0.006]
    for mode in ["min", "max"]
    for baseline, start in [(None, 0), (0.75, 0), (None, 3)]
]
PLATEAU = [
    {"patience": patience, "min_delta": delta, "mode": mode, "cooldown": cooldown, "factor": 0.5, "min_lr": least}
    for patience in [0, 1, 3]
    for delta in [0, 0.006]
    for mode in ["min", "max"]
    for cooldown, least in [(0, 0), (1, 0.03), (3, 0)]
]


def stopped(settings: dict, metrics: list) -> int | None:
    """The epoch, from 1, after which it ends."""
    callback = EarlyStopping(**settings)
    callback.model = SimpleNamespace(stop_training=False)
    callback.on_train_begin()
    for epoch, value in enumerate(metrics):
        callback.on_epoch_end(epoch, {"val_loss": value})
        if callback.model.stop_training:
            return epoch + 1
    return None


def rates(settings: dict, metrics: list) -> list:
    callback = ReduceLROnPlateau(**settings)
    callback.model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.1))
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(metrics):
        callback.on_epoch_end(epoch, {"val_loss": value})
        found.append(callback.model.optimizer.learning_rate)
    return found


golden = {
    "keras": VERSION,
    "metrics": [["NaN" if value != value else value for value in metrics] for metrics in METRICS],
    "stopping": [{"settings": one, "ends": [stopped(one, metrics) for metrics in METRICS]} for one in STOPPING],
    "plateau": [{"settings": one, "rates": [rates(one, metrics) for metrics in METRICS]} for one in PLATEAU],
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
