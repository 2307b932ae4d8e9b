// A model as a Python file: its tensors by PyTorch's names, what it does op by op, and what trains it.

import { OptionError } from "../index.ts";
import { isNorm, normForm, pythonForms } from "./python-ops.ts";
import type { Recorded, Use } from "./recorded.ts";

/** A tensor as the file of weights has it, and the expression that sees it as it lies here. */
export interface PythonTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly isState: boolean;
  /** Of `p`, which stands for the tensor. */
  readonly seen: string;
}

/** Parameters that share all their settings. */
export interface PythonGroup {
  readonly lr: number;
  readonly weightDecay: number;
  /** Name of the table with factors of the rate from the next step on; undefined where it stays. */
  readonly schedule: string | undefined;
  readonly names: readonly string[];
}

export interface PythonOptimizer {
  /** Its class in torch.optim. */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly groups: readonly PythonGroup[];
}

const python = (value: unknown): string =>
  Array.isArray(value)
    ? `(${value.map(python).join(", ")}${value.length === 1 ? "," : ""})`
    : typeof value === "boolean"
      ? value
        ? "True"
        : "False"
      : JSON.stringify(value);

/** The body of `forward`. */
function forward(
  { uses, owns, inputs, outputs }: Recorded,
  tensors: ReadonlyMap<string, PythonTensor>,
  frozen: ReadonlySet<string>,
): string[] {
  const names = new Map<number, string>();
  const lines: string[] = [];
  const entries = Object.entries(inputs);
  for (const [name, { id }] of entries) names.set(id, name === "" ? "x" : `x[${JSON.stringify(name)}]`);
  const [, one] = entries[0] as [string, { id: number }];
  lines.push(`batch = ${names.get(one.id)}.shape[0]`);
  const statistics = new Map<number, Use>();
  const tensorOf = (id: number): string | undefined => {
    const own = owns.get(id);
    const tensor = own && tensors.get(own.name);
    if (tensor === undefined) {
      if (own === undefined) return undefined;
      throw new OptionError(
        `toPyTorch: "${own.name}" is a tensor of the model that its summary does not list. Apply parts of a layer by use() of functional().`,
      );
    }
    const get = `self.get_${tensor.isState ? "buffer" : "parameter"}(${JSON.stringify(tensor.name)})`;
    return tensor.seen.replace(/\bp\b/, get);
  };
  const expression = (id: number): string => tensorOf(id) ?? names.get(id) ?? "None";
  for (const use of uses) {
    const refuse = (what: string): never => {
      throw new OptionError(
        `toPyTorch: the op "${use.op}" of "${use.path}" ${what}, which is not written for PyTorch. Build the model without it.`,
      );
    };
    const x = Object.fromEntries(Object.entries(use.inputs).map(([name, { id }]) => [name, expression(id)]));
    // What PyTorch draws, and reckons over a batch, by itself.
    if (use.op === "draw" || use.op === "batchParts") continue;
    if (use.op === "batchStatistics") {
      for (const { id } of Object.values(use.outputs)) statistics.set(id, use);
      continue;
    }
    let made: string;
    if (isNorm(use.op)) {
      const known = statistics.get(use.inputs.mean?.id as number) as Use;
      const [mean, variance] = [known.inputs.movingMean, known.inputs.movingVariance].map((one) =>
        expression(one?.id as number),
      );
      const isFrozen =
        Object.values(use.inputs).some(({ id }) => frozen.has(owns.get(id)?.name ?? "")) &&
        Object.values(use.inputs).every(
          ({ id }) => owns.get(id) === undefined || frozen.has(owns.get(id)?.name as string),
        );
      made = normForm(use, known, { ...x, mean: mean as string, variance: variance as string }, isFrozen);
    } else {
      const form = Object.hasOwn(pythonForms, use.op) ? pythonForms[use.op] : undefined;
      made = form === undefined ? refuse("is one") : form({ use, x, refuse });
    }
    const [result] = Object.values(use.outputs);
    const name = `v${lines.length}`;
    names.set(result?.id as number, name);
    lines.push(`${name} = ${made}${use.path === "" ? "" : `  # ${use.path}`}`);
  }
  const told = Object.entries(outputs).map(([name, { id }]) => [name, expression(id)] as const);
  const only = told.length === 1 && told[0]?.[0] === "" ? told[0][1] : undefined;
  lines.push(`return ${only ?? `{${told.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(", ")}}`}`);
  return lines;
}

/** What every such file begins with. */
const BEGIN = `"""A model that Gradus wrote, with what trains it. Values lie with the channels last, as they did there; weights lie as PyTorch has them.

    model = load_model("model.safetensors")
    optimizers, schedulers = load_optimizers(model, "optimizer.safetensors")
    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        for each in [*optimizers, *schedulers]:
            each.step()
        model.zero_grad()
"""

import json
import struct

import torch
from torch import nn
from torch.nn import functional as F


def read_safetensors(path):
    """Tensors by name of a safetensors file of f32."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    length = struct.unpack_from("<Q", data)[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            part = data[8 + length + begin : 8 + length + end]
            tensor = torch.frombuffer(part, dtype=torch.float32) if end > begin else torch.zeros(0)
            tensors[name] = tensor.clone().reshape(entry["shape"])
    return tensors


def attend(q, k, v, heads, key_heads, causal, scale):
    """softmax(scale q k^T) v of each head, heads beside one another."""
    batch, length, units = q.shape
    size = units // heads
    q = q.reshape(batch, length, heads, size).transpose(1, 2)
    k, v = (t.reshape(batch, t.shape[1], key_heads, size).transpose(1, 2).repeat_interleave(heads // key_heads, 1) for t in (k, v))
    scores = q @ k.transpose(-1, -2) * (size**-0.5 if scale is None else scale)
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool().to(scores.device), float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, units)


def place(module, name, tensor, is_state):
    """Puts a tensor under a name with dots, so that the state dict has it."""
    *path, last = name.split(".")
    for part in path:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module._modules[part]
    module.register_buffer(last, tensor) if is_state else module.register_parameter(last, nn.Parameter(tensor))

`;

const END = `

def load_model(path):
    """The model with the weights of a file that Gradus wrote."""
    model = Model()
    model.load_state_dict(read_safetensors(path))
    for name in FROZEN:
        model.get_parameter(name).requires_grad_(False)
    return model


def load_optimizers(model, path):
    """Optimizers and schedulers, one each for each rule, with groups by rate, decay and schedule, going on where Gradus stopped."""
    tensors = read_safetensors(path)
    optimizers, schedulers = [], []
    for name, options, groups in OPTIMIZERS:
        optimizer = getattr(torch.optim, name)(
            [{"params": [model.get_parameter(one) for one in names], "lr": lr, "weight_decay": decay} for lr, decay, _, names in groups],
            lr=0.0,
            **options,
        )
        for _, _, _, names in groups:
            for one in names:
                state = {key.split("/")[0]: value for key, value in tensors.items() if key.endswith("/" + one)}
                if "step" in state:
                    state["step"] = state["step"].reshape(())
                if state:
                    optimizer.state[model.get_parameter(one)] = state
        tables = [None if table is None else tensors[table].tolist() for _, _, table, _ in groups]
        factors = [(lambda t, f=f: 1.0 if f is None else f[min(t, len(f) - 1)]) for f in tables]
        optimizers.append(optimizer)
        schedulers.append(torch.optim.lr_scheduler.LambdaLR(optimizer, factors))
    return optimizers, schedulers
`;

/** The Python file. `tensors` by our names. */
export function pythonModel(
  done: Recorded,
  tensors: ReadonlyMap<string, PythonTensor>,
  optimizers: readonly PythonOptimizer[],
  frozen: readonly string[],
): string {
  const own = [...done.owns.values()].map(({ name }) => tensors.get(name)).filter((one) => one !== undefined);
  const body = forward(done, tensors, new Set(frozen));
  const rules = optimizers.flatMap(({ name, options, groups }) => [
    `    (`,
    `        ${python(name)},`,
    `        {${Object.entries(options)
      .map(([key, value]) => `${python(key)}: ${python(value)}`)
      .join(", ")}},`,
    `        [  # rate, decay, table of the schedule, parameters`,
    ...groups.map(
      ({ lr, weightDecay, schedule, names }) =>
        `            (${lr}, ${weightDecay}, ${schedule === undefined ? "None" : python(schedule)}, [${names.map(python).join(", ")}]),`,
    ),
    `        ],`,
    `    ),`,
  ]);
  return [
    BEGIN,
    "# What does not train.",
    `FROZEN = [${frozen.map((name) => python(tensors.get(name)?.name)).join(", ")}]`,
    "",
    "OPTIMIZERS = [",
    ...rules,
    "]",
    "",
    "",
    "class Model(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    ...own.map(
      ({ name, shape, isState }) =>
        `        place(self, ${python(name)}, torch.zeros([${shape.join(", ")}]), ${python(isState)})`,
    ),
    "",
    "    def forward(self, x):",
    ...body.map((line) => `        ${line}`),
    END,
  ].join("\n");
}
