# A model of keras.json as Keras writes it into an .h5 file, with models within models and what Adam keeps: keras.h5. Weights of inner
# models lie in the group of the outermost layer, as there. One tensor is f64 and one f16; keras-new.h5 has the file format's newest form.
#
#   python3 -m venv /tmp/h5 && /tmp/h5/bin/pip install h5py==3.16.0 && /tmp/h5/bin/python test/golden/keras_h5.py

import base64
import json
import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
case = json.load(open(os.path.join(here, "keras.json")))["models"]
topology = case["json"]["modelTopology"]
data = base64.b64decode(case["weights"])
weights, at = {}, 0
for spec in case["json"]["weightsManifest"][0]["weights"]:
    count = int(np.prod(spec["shape"]))
    weights[spec["name"]] = np.frombuffer(data, "<f4", count, at).reshape(spec["shape"])
    at += 4 * count

groups = {layer["name"]: [] for layer in topology["config"]["layers"]}
for name in weights:
    groups["pair" if name.split("/")[0] in ("fc", "norm") else "top"].append(name)
trained = [name for name in weights if "moving" not in name]


def rule(shape, step):
    return np.array([((i * 7919 + step) % 1009) / 1009 for i in range(int(np.prod(shape)))], "<f4").reshape(shape)


def write(path, **options):
    with h5py.File(os.path.join(here, path), "w", **options) as file:
        file.attrs["keras_version"] = "2.4.0"
        file.attrs["backend"] = "tensorflow"
        model = {"class_name": topology["class_name"], "config": topology["config"]}
        file.attrs["model_config"] = json.dumps(model).encode("utf8")
        optimizer = {"class_name": "Adam", "config": {"learning_rate": 0.002, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7, "decay": 0.0, "amsgrad": False}}
        file.attrs["training_config"] = json.dumps({"loss": "mean_squared_error", "optimizer_config": optimizer}).encode("utf8")
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode("utf8") for name in groups]
        for layer, names in groups.items():
            group = root.create_group(layer)
            listed = np.array([f"{name}:0".encode("utf8") for name in names], "S") if names else []
            # Long lists are cut.
            if layer == "pair":
                for i, part in enumerate(np.array_split(listed, 2)):
                    group.attrs[f"weight_names{i}"] = part
            else:
                group.attrs["weight_names"] = listed
            for name in names:
                kind = {"top/bias": "<f8", "norm/gamma": "<f2"}.get(name, "<f4")
                group.create_dataset(f"{name}:0", data=weights[name].astype(kind))
        kept = file.create_group("optimizer_weights")
        names = ["Adam/iter:0"] + [f"Adam/{name}/{slot}:0" for slot in "mv" for name in trained]
        kept.attrs["weight_names"] = [name.encode("utf8") for name in names]
        for step, name in enumerate(names):
            shape = None if step == 0 else weights[name[5:-4]].shape
            kept.create_dataset(name, data=np.int64(120) if step == 0 else rule(shape, step))


write("keras.h5")
write("keras-new.h5", libver="latest")
