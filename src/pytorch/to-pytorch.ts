// A training handed on to PyTorch: weights and the optimizer's state as safetensors by PyTorch's names and in its layouts, and a Python
// file with the model, a group of parameters for each rate, and the schedules from the next step on.

import { rowMajor, sizeOf, walk } from "../foreign/strided.ts";
import {
  CheckpointError,
  decodeSafetensors,
  encodeSafetensors,
  type HostTensor,
  type Input,
  type Model,
  OptionError,
  type Schedule,
  type ScheduleSpec,
  scheduleFrom,
  summary,
} from "../index.ts";
import { type Move, type Wanted, wantedTensors } from "./layout.ts";
import { type PythonGroup, type PythonOptimizer, type PythonTensor, pythonModel } from "./python-model.ts";
import { recorded } from "./recorded.ts";
import { named } from "./refuse.ts";

/** Options of `toPyTorch`. */
export interface ToPyTorchOptions {
  /** For how many steps from the next one the schedules are written; behind the last the rate stays. Default: 1000. */
  readonly steps?: number;
}

/** What `toPyTorch` gives: three files. */
export interface ToPyTorch {
  /** The state dict, `model.safetensors`. */
  readonly weights: Uint8Array<ArrayBuffer>;
  /** Moments, counts of steps and schedules, `optimizer.safetensors`. */
  readonly optimizer: Uint8Array<ArrayBuffer>;
  /** `model.py`, which tells at its head how it is used. Needs torch alone. */
  readonly script: string;
  /** What went where. */
  readonly report: ToPyTorchReport;
}

/** What was written for PyTorch, and what has no form there. */
export interface ToPyTorchReport {
  /** Tensors of the model and what they are called in PyTorch. */
  readonly tensors: readonly { readonly name: string; readonly to: string; readonly shape: readonly number[] }[];
  /** What PyTorch goes on without. */
  readonly leftOut: readonly string[];
  /** A line for each tensor, and what has no form there. */
  toString(): string;
}

/** A trainer, or the bytes that its save() gave. */
type Source = { save(): Promise<Uint8Array> } | Uint8Array | ArrayBuffer;

interface Rule {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

interface Row {
  readonly lr: number;
  readonly multiplier: number;
  readonly weightDecay: number;
  readonly averaging: number;
  readonly frozen: boolean;
  readonly from?: unknown;
  readonly until?: unknown;
  /** Which number the next update has, and how many there were since the tensor last began to train, which its schedule counts. */
  readonly updates: number;
  readonly trained: number;
  readonly rest?: unknown;
  readonly schedule?: Rule;
}

/** What a checkpoint says of a training. */
interface Told {
  readonly signature: {
    readonly input: unknown;
    readonly rules: Readonly<Record<string, Rule>>;
    readonly schedules: Readonly<Record<string, Rule>>;
    readonly [key: string]: unknown;
  };
  readonly training: {
    readonly step: number;
    readonly place: { readonly count: number | null; readonly batch: number | null };
    readonly rows: Readonly<Record<string, Row>>;
  };
}

const place = "toPyTorch";

/** Update rules: PyTorch's class, the options that it has too, and what it calls the moments. Other options must be off. */
const rules: Readonly<
  Record<string, { readonly name: string; readonly same: readonly string[]; readonly moments: readonly string[] }>
> = {
  adam: { name: "Adam", same: ["betas", "eps"], moments: ["exp_avg", "exp_avg_sq"] },
  adamw: { name: "AdamW", same: ["betas", "eps"], moments: ["exp_avg", "exp_avg_sq"] },
  sgd: { name: "SGD", same: ["momentum", "dampening", "nesterov"], moments: ["momentum_buffer"] },
};

/** PyTorch's names of tensors, where they are others. */
const names: Readonly<Record<string, string>> = {
  ...{ gamma: "weight", beta: "bias", movingMean: "running_mean", movingVariance: "running_var", slope: "weight" },
};

/**
 * What PyTorch needs to go on where a trainer is: `weights` and `optimizer` as safetensors, and a Python file that builds the model,
 * loads both and gives optimizers and schedulers with a group for each rate, decay and schedule, so that layers keep their rates. adam,
 * adamw and sgd go over; what has no form in PyTorch (controllers, schedules of momentum, other rules, ops that it is not written how to
 * put) is refused by name with an OptionError. `model` is that of the trainer. Counts of batches, which Gradus does not keep, are none.
 *
 * @example
 * const { weights, optimizer, script } = await toPyTorch(trainer, model);
 */
export async function toPyTorch(source: Source, model: Model, options: ToPyTorchOptions = {}): Promise<ToPyTorch> {
  const odd = Object.keys(options).find((key) => key !== "steps");
  if (odd !== undefined) throw new OptionError(`${place}: there is no option "${odd}". Options: steps.`);
  const { steps = 1000 } = options;
  if (!Number.isInteger(steps) || steps < 1)
    throw new OptionError(`${place}: steps is ${steps}, it must be a whole number of at least 1.`);
  const bytes = "save" in source ? await source.save() : source;
  const { tensors, metadata } = decodeSafetensors(bytes, place);
  const { signature, training } = toldOf(metadata);
  refuseForeign(signature);
  const input = signature.input as Input;
  const { layers } = summary(model, { input });
  const wanted = wantedTensors(layers, "pytorch", {});
  const written = new Map<string, PythonTensor>();
  const weights = new Map<string, HostTensor>();
  for (const one of wanted) {
    const found = tensors.get(one.name) ?? tensors.get(`states/${one.name}`) ?? tensors.get(`base/${one.name}`);
    if (found === undefined || String(found.shape) !== String(one.shape))
      throw new CheckpointError(
        `${place}: the model has "${one.name}" of shape [${one.shape}], the trainer ${found === undefined ? "no such tensor" : `[${found.shape}]`}. Give the model that the trainer was compiled with.`,
      );
    const isState = !(one.name in training.rows) && tensors.has(`states/${one.name}`);
    const tensor = pythonTensor(one, isState);
    if (weights.has(tensor.name))
      throw new OptionError(`${place}: "${tensor.name}" is the name of two tensors in PyTorch. Rename a layer.`);
    written.set(one.name, tensor);
    weights.set(tensor.name, { shape: tensor.shape, data: back(found.data, one.move) });
  }
  const schedules = new Map<string, readonly number[]>();
  const state = new Map<string, HostTensor>();
  const optimizers = optimizersOf({ signature, training }, written, schedules, steps);
  for (const { name } of wanted) addState(state, name, { signature, training }, tensors, written, wanted);
  for (const [name, factors] of schedules)
    state.set(name, { shape: [factors.length], data: Float32Array.from(factors) });
  const frozen = wanted
    .map(({ name }) => name)
    .filter((name) => !written.get(name)?.isState && (training.rows[name]?.frozen ?? true));
  const inputs = isShape(input) ? { "": input } : (input as Readonly<Record<string, readonly number[]>>);
  const script = pythonModel(recorded(model, inputs), written, optimizers, frozen);
  return {
    weights: encodeSafetensors({ tensors: weights, metadata: {} }),
    optimizer: encodeSafetensors({ tensors: state, metadata: {} }),
    script,
    report: reportOf(written, leftOut({ signature, training })),
  };
}

const isShape = (input: unknown): input is readonly number[] | { readonly shape: readonly number[] } =>
  Array.isArray(input) || Array.isArray((input as { shape?: unknown })?.shape);

function toldOf({ gradus: text }: Readonly<Record<string, string>>): Told {
  const told = text === undefined ? undefined : (JSON.parse(text) as Partial<Told>);
  if (told?.signature !== undefined && told.training !== undefined) return told as Told;
  throw new CheckpointError(
    `${place}: the file says nothing of a training. Give the trainer, or all that its save() gave.`,
  );
}

/** What has no form in PyTorch. */
function refuseForeign(signature: Told["signature"]): void {
  const foreign = { control: "controllers", momentum: "a schedule of momentum", losses: "several losses in turn" };
  for (const [key, what] of Object.entries(foreign)) {
    if (signature[key] !== undefined)
      throw new OptionError(
        `${place}: the training has ${what}, which PyTorch's optimizers have not. Compile without it and transfer the weights.`,
      );
  }
}

function leftOut({ signature, training }: Told): string[] {
  const rows = Object.entries(training.rows);
  const timed = rows.filter(([, { from, until }]) => from !== undefined || until !== undefined).map(([name]) => name);
  return [
    ...(signature.clip === undefined
      ? []
      : ["clipping: call torch.nn.utils.clip_grad_norm_ or clip_grad_value_ before the steps"]),
    ...(signature.accumulate === undefined ? [] : [accumulation(signature.accumulate)]),
    ...(signature.averaging === undefined ? [] : ["running averages of the weights: see torch.optim.swa_utils"]),
    ...(timed.length === 0 ? [] : [`"from" and "until" of ${named(timed)}: freeze them by requires_grad_`]),
  ];
}

/** The tensor in PyTorch, and how it is seen from here. */
function pythonTensor({ name, shape, move }: Wanted, isState: boolean): PythonTensor {
  const [last, ...path] = name.split(".").reverse() as [string, ...string[]];
  const isSame = move.axes.every((axis, at) => axis === at);
  const view = String(move.view) === String(move.given) ? "" : `.reshape(${move.view.join(", ")})`;
  const turned = String(move.axes) === "1,0" ? ".t()" : isSame ? "" : `.permute(${move.axes.join(", ")})`;
  const seen = `p${view}${turned}${move.axes.length === shape.length ? "" : `.reshape(${shape.join(", ")})`}`;
  return { name: [...path.reverse(), names[last] ?? last].join("."), shape: move.given, isState, seen };
}

/** Numbers that lie as here in the order of PyTorch. */
function back(data: ArrayLike<number>, { view, axes }: Move): Float32Array<ArrayBuffer> {
  const made = new Float32Array(data.length);
  const far = rowMajor(view);
  walk(
    axes.map((axis) => view[axis] as number),
    axes.map((axis) => far[axis] as number),
    0,
    (i, to) => {
      made[to] = data[i] as number;
    },
  );
  return made;
}

function ruleOf(name: string, { name: rule, options }: Rule) {
  const found = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
  if (found === undefined)
    throw new OptionError(
      `${place}: "${name}" is trained by ${rule}, ${Object.keys(rules).join(", ")} go over. Compile with one of them and transfer the weights.`,
    );
  const odd = Object.entries(options).find(
    ([key, value]) => !found.same.includes(key) && value !== false && value !== 0,
  );
  if (odd !== undefined)
    throw new OptionError(
      `${place}: "${name}" is trained by ${rule} with ${odd[0]}, which torch.optim.${found.name} has not in this form.`,
    );
  return { ...found, options: Object.fromEntries(found.same.map((key) => [key, options[key]])) };
}

/** Optimizers, one for each rule, with a group for each rate, decay and schedule. */
function optimizersOf(
  told: Told,
  written: ReadonlyMap<string, PythonTensor>,
  schedules: Map<string, readonly number[]>,
  steps: number,
): PythonOptimizer[] {
  const byRule = new Map<
    string,
    { name: string; options: Readonly<Record<string, unknown>>; groups: Map<string, PythonGroup & { names: string[] }> }
  >();
  const tables = new Map<string, string>();
  for (const [tensor, row] of Object.entries(told.training.rows)) {
    const rule = told.signature.rules[tensor];
    const to = written.get(tensor)?.name;
    if (rule === undefined || to === undefined || row.frozen) continue;
    const { name, options } = ruleOf(tensor, rule);
    const key = JSON.stringify([name, options]);
    const optimizer = byRule.get(key) ?? { name, options, groups: new Map() };
    byRule.set(key, optimizer);
    const factors = factorsOf(tensor, row, told, steps);
    const text = JSON.stringify(factors);
    if (factors !== undefined && !tables.has(text)) {
      tables.set(text, `schedule.${tables.size}`);
      schedules.set(`schedule.${tables.size - 1}`, factors);
    }
    const schedule = factors === undefined ? undefined : tables.get(text);
    const lr = row.lr * row.multiplier;
    const own = JSON.stringify([lr, row.weightDecay, schedule]);
    const group = optimizer.groups.get(own) ?? { lr, weightDecay: row.weightDecay, schedule, names: [] };
    group.names.push(to);
    optimizer.groups.set(own, group);
  }
  return [...byRule.values()].map(({ name, options, groups }) => ({ name, options, groups: [...groups.values()] }));
}

/** Factors of the rate from the next step on; undefined where there is no schedule. */
function factorsOf(
  tensor: string,
  row: Row,
  { signature, training }: Told,
  steps: number,
): readonly number[] | undefined {
  const spec = row.schedule ?? signature.schedules[tensor];
  if (spec === undefined || (spec.name === "constant" && Object.keys(spec.options).length === 0)) return undefined;
  if (spec.name === "custom")
    throw new OptionError(
      `${place}: the schedule of "${tensor}" is a function of your own, which nothing describes. Compile with a schedule that has a name.`,
    );
  const schedule: Schedule = scheduleFrom(spec as ScheduleSpec);
  const { count, batch } = training.place;
  const stepsPerEpoch = count === null || batch === null ? undefined : Math.ceil(count / batch);
  const behind = training.step - row.trained;
  return Array.from({ length: steps }, (_, i) => {
    const step = training.step + i;
    return schedule({ step, updates: step - behind, stepsPerEpoch });
  });
}

/** Moments and count of steps of a tensor, where it has any. */
function addState(
  state: Map<string, HostTensor>,
  tensor: string,
  { signature, training }: Told,
  tensors: ReadonlyMap<string, { readonly data: ArrayLike<number> }>,
  written: ReadonlyMap<string, PythonTensor>,
  wanted: readonly Wanted[],
): void {
  const rule = signature.rules[tensor];
  const row = training.rows[tensor];
  const one = wanted.find(({ name }) => name === tensor);
  if (rule === undefined || row === undefined || one === undefined || row.frozen || row.updates === 0) return;
  const { name, shape } = written.get(tensor) as PythonTensor;
  const { moments } = ruleOf(tensor, rule);
  let has = false;
  for (const [i, moment] of moments.entries()) {
    const found = tensors.get(`moment${i + 1}/${tensor}`);
    if (found === undefined) continue;
    has = true;
    state.set(`${moment}/${name}`, { shape, data: back(found.data, one.move) });
  }
  if (has && moments.length > 1) state.set(`step/${name}`, { shape: [1], data: Float32Array.of(row.updates) });
}

function reportOf(written: ReadonlyMap<string, PythonTensor>, left: readonly string[]): ToPyTorchReport {
  const tensors = [...written].map(([name, { name: to, shape }]) => ({ name, to, shape }));
  const widest = Math.max(0, ...tensors.map(({ name }) => name.length));
  const text = () =>
    [
      `${tensors.length} tensors, ${tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0)} numbers`,
      ...tensors.map(({ name, to, shape }) => `${name.padEnd(widest)}  ${to}  [${shape.join(", ")}]`),
      ...left.map((what) => `left out: ${what}`),
    ].join("\n");
  return { tensors, leftOut: left, toString: text };
}

/** Batches of an update, as a person is told of them: one number for all, or a table. */
const accumulation = (batches: unknown): string =>
  typeof batches === "number"
    ? `accumulation: step after each ${batches} batches`
    : `accumulation: the batches of an update change, ${JSON.stringify(batches)}`;
