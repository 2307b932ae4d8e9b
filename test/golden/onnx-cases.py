# Packs the node cases of the ONNX standard for the operators that are read here: each a model of one node (or of those that it stands
# for), with what goes in and what must come out. The first input that is no list of whole numbers stays an input, and all others become
# constants; where an operator works on several values there is a second model in which all of them stay.
#
#   apt-get install -y --no-install-recommends python3-onnx
#   /usr/bin/python3 test/golden/onnx-cases.py
#
# Writes test/golden/onnx-cases.json.gz: numbers as base64 of f32, or of f64 where f32 does not hold them.

import base64
import gzip
import json
import pathlib

import numpy as np

# The cases are older than this NumPy.
for old, now in (("float", float), ("int", int), ("bool", bool), ("object", object)):
    if old not in vars(np):
        setattr(np, old, now)
np.random.seed(0)

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

CLAIMED = """Abs Add And AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos DepthToSpace Div
Dropout Elu Equal Erf Exp Expand Flatten Floor GRU Gather Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish
Identity InstanceNormalization LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mod Mul Neg Not
OneHot Or PRelu Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare Relu Reshape Resize Round ScatterND Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze
Sub Sum Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Upsample Where Xor""".split()

SEVERAL = """Add And Concat Conv ConvTranspose Div Equal Gemm Greater GreaterOrEqual Less LessOrEqual MatMul Max Mean Min Mul
Or PRelu Pow Sub Sum Where Xor""".split()

MOST_NUMBERS = 20_000


def packed(array):
    array = np.asarray(array)
    exact = array.astype(np.float32).astype(np.float64)
    with np.errstate(invalid="ignore"):
        single = array.dtype == np.float32 or np.array_equal(exact, array.astype(np.float64), equal_nan=True)
    kind = np.float32 if single else np.float64
    data = base64.b64encode(array.astype(kind).ravel().tobytes()).decode()
    return {"shape": list(array.shape), "type": kind.__name__, "data": data}


def model_of(case, keep):
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    given = case.data_sets[0][0]
    for i, (info, array) in enumerate(zip(list(graph.input), given)):
        if i in keep:
            continue
        graph.initializer.append(numpy_helper.from_array(np.asarray(array), info.name))
        graph.input.remove(info)
    graph.ClearField("name")
    # Operators that are as they were before the first opset that is read.
    for opset in model.opset_import:
        opset.version = max(opset.version, 7)
    for node in graph.node:
        node.ClearField("doc_string")
    return base64.b64encode(model.SerializeToString()).decode()


cases = []
for case in collect_testcases(None):
    nodes = case.model.graph.node
    name = case.name[len("test_") :]
    op = next((claimed for claimed in CLAIMED if nodes and nodes[0].op_type == claimed), None)
    expanded = "_expanded" in name
    if op is None or not all(node.op_type in CLAIMED for node in nodes) or any(node.domain not in ("", "ai.onnx") for node in nodes):
        continue
    # NumPy has no bfloat16, and what is dropped at random is another each time.
    if "BFLOAT16" in name or name.startswith("training_dropout"):
        continue
    given, wanted = case.data_sets[0]
    arrays = [*given, *wanted]
    if not all(isinstance(one, (np.ndarray, np.generic)) and np.asarray(one).dtype.kind in "fiub" for one in arrays):
        continue
    if sum(np.asarray(one).size for one in arrays) > MOST_NUMBERS or len(given) != len(case.model.graph.input):
        continue
    floats = [i for i, one in enumerate(given) if np.asarray(one).dtype.kind == "f" and np.asarray(one).size > 0]
    bools = [i for i, one in enumerate(given) if np.asarray(one).dtype.kind == "b" and np.asarray(one).size > 0]
    live = sorted(floats + bools)
    first = live[:1]
    if op == "OneHot":
        first = [0]
    for one in (case.model.graph.node, case.model.graph.input, case.model.graph.output):
        for part in one:
            part.ClearField("doc_string")
    if op in ("Range", "ReduceProd", "ScatterND"):
        first = []
    entry = {"name": name, "op": nodes[0].op_type if not expanded else name.split("_")[0], "nodes": len(nodes)}
    models = [{"keep": first, "model": model_of(case, first)}]
    if len(live) > 1 and all(node.op_type in SEVERAL for node in nodes):
        models.append({"keep": live, "model": model_of(case, live)})
    entry["models"] = models
    kept = {i for one in models for i in one["keep"]}
    entry["inputs"] = [packed(one) if i in kept else None for i, one in enumerate(given)]
    entry["outputs"] = [packed(one) for one in wanted]
    cases.append(entry)

text = "[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "\n]\n"
path = pathlib.Path(__file__).with_name("onnx-cases.json.gz")
path.write_bytes(gzip.compress(text.encode(), mtime=0))
print(len(cases), "cases,", path.stat().st_size, "bytes,", len({one["op"] for one in cases}), "operators")
