// What an optimizer of PyTorch kept, brought to the tensors of a model: moments in the layout of the weights, counts of updates, and each
// group's rate, decay and options.

import {
  type Optimizer,
  type OptimizerState,
  OptionError,
  type RateRule,
  type Summary,
  type TensorState,
} from "../index.ts";
import { type FromPyTorch, fromPyTorch, type PlainValue } from "./from-pytorch.ts";
import { type LoadWeightsOptions, matched, moved, type Numbers } from "./load-weights.ts";
import { bytesOf, named, type Refuse, refuser } from "./refuse.ts";
import { renamed } from "./rename.ts";

/** What the moments are for: a summary of the model alone, or a trainer, which then has them. */
export type OptimizerTarget =
  | Summary
  | { readonly network: { summary(): Summary }; setState(state: OptimizerState): void };

/** Options of `loadOptimizer`. */
export interface LoadOptimizerOptions extends Pick<LoadWeightsOptions, "rename" | "flattened"> {
  /** Where the optimizer's state dict lies in the file, "optimizers.0". Default: where there is one alone. */
  readonly part?: string;
  /**
   * Names of the model's parameters, since PyTorch numbers them: in the order of its state dict, or the part of the file that is this
   * state dict. Default: the tensors of the file outside of optimizers. Running statistics do not count.
   */
  readonly names?: string | readonly string[];
  /**
   * The order in which the optimizer was given them, where it is another: names, and paths for all parameters below,
   * ["head", "stem"]. An optimizer of some parameters needs it. Default: the order of `names`.
   */
  readonly order?: readonly string[];
  /** The factory of the rule, such as `adamw`: each group's betas, eps, momentum and so on go into `rates`. Default: rates and decays alone. */
  readonly optimizer?: (options: object) => Optimizer;
  /** Whether a schedule of the file goes on here: rates are then those without it, `initial_lr`. Default false. */
  readonly scheduled?: boolean;
  /** Updates that were made where the file does not tell, as of SGD. Default 1. */
  readonly step?: number;
}

/** A group of parameters. */
export interface OptimizerGroup {
  /** Names in PyTorch. */
  readonly names: readonly string[];
  /** Of now; `initial_lr` among the options is that without the schedule. */
  readonly lr: number;
  /** Its `weight_decay`. */
  readonly weightDecay: number;
  /** All that PyTorch says of the group but the parameters, in its names. */
  readonly options: Readonly<Record<string, PlainValue>>;
}

/** What `loadOptimizer` gives. */
export interface LoadedOptimizer {
  /** What `compile` takes as `state`. */
  readonly state: OptimizerState & { readonly tensors: ReadonlyMap<string, TensorState> };
  /** What `compile` takes as `rates`: a rule for each tensor of the model whose parameter is in a group. */
  readonly rates: (readonly [tensor: string, rule: RateRule])[];
  /** In the order of the file. */
  readonly groups: readonly OptimizerGroup[];
}

const place = "loadOptimizer";
const keys = ["part", "names", "order", "optimizer", "scheduled", "step", "rename", "flattened"];

type Moment = "moment1" | "moment2" | "moment3";

/** PyTorch's names of moments; the first row counts that has all that there are. */
const forms: readonly Readonly<Record<string, Moment>>[] = [
  { exp_avg: "moment1", exp_avg_sq: "moment2", max_exp_avg_sq: "moment3" },
  { momentum_buffer: "moment1" },
  { sum: "moment1" },
  { exp_avg: "moment1", exp_inf: "moment2" },
  { square_avg: "moment1", acc_delta: "moment2" },
  { square_avg: "moment1", momentum_buffer: "moment2", grad_avg: "moment3" },
];

/** What follows from the count of updates. */
const counters = ["step", "mu_product"];

/** Options of a group that rules have here too. */
const ruleKeys = ["betas", "eps", "amsgrad", "momentum", "dampening", "nesterov", "alpha", "centered", "rho"];

const isBuffer = (name: string): boolean => /(^|\.)(running_mean|running_var|num_batches_tracked)$/.test(name);

/** What there is of a parameter. */
type Kept = ReadonlyMap<string, Numbers | PlainValue>;

/** A state dict, by names of parameters. */
interface Read {
  readonly kept: ReadonlyMap<string, Kept>;
  readonly groups: readonly OptimizerGroup[];
}

/**
 * Moments, counts of updates and groups of an optimizer, from a `.pt` file that holds its `state_dict()`, alone or in a checkpoint such as
 * `{ model, optimizer, epoch }`, or from the safetensors that `toPyTorch` writes. Adam, AdamW, SGD, RMSprop, Adagrad, Adadelta, Adamax,
 * NAdam and RAdam are read; layouts are turned as `loadWeights` turns those of the weights. A trainer as target has the state then. Two
 * biases of an LSTM, which are one here, have the rate of both. Nothing of the file is executed.
 *
 * Throws CheckpointError where the file is damaged, has no optimizer, has more or fewer parameters than names, or moments that do not
 * fit; OptionError for options that do not exist.
 *
 * @example
 * const { weights } = await loadWeights(summary(model, { input }), bytes, { part: "model" });
 * const { state, rates } = await loadOptimizer(summary(model, { input }), bytes, { optimizer: adamw });
 * const trainer = await compile(model, { input, loss: crossEntropy(), weights, state, rates });
 */
export async function loadOptimizer(
  target: OptimizerTarget,
  source: Uint8Array | ArrayBuffer,
  options: LoadOptimizerOptions = {},
): Promise<LoadedOptimizer> {
  const odd = Object.keys(options).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new OptionError(`${place}: there is no option "${odd}". Options: ${keys.join(", ")}.`);
  const { flattened, step = 1 } = options;
  if (!Number.isSafeInteger(step) || step < 0)
    throw new OptionError(`${place}: step is ${step}, it must be a whole number of at least 0.`);
  const refuse = refuser(place);
  const bytes = bytesOf(place, source);
  const file = await fromPyTorch(bytes as Uint8Array);
  const { kept, groups } =
    file.report.format === "safetensors" ? writtenHere(file, refuse) : stateDict(file, options, refuse);
  const summary = "layers" in target ? target : target.network.summary();
  /** The tensors of the model to which numbers of parameters belong. */
  const known = renamed([...new Set([...kept.keys(), ...groups.flatMap(({ names }) => names)])], options.rename, true);
  const rename = (name: string): readonly string[] => known.get(name) as readonly string[];
  const pairsOf = (given: ReadonlyMap<string, Numbers>) => {
    const { pairs, unexpected } = matched(summary.layers, given, { rename, flattened });
    if (unexpected.length === 0) return pairs;
    return refuse(
      `the model has no place for the parameters ${named(unexpected)}`,
      "Bring names together by rename, or correct names and order.",
    );
  };
  const counts = new Map([...kept].map(([name, own]) => [name, countOf(name, own.get("step") ?? step, refuse)]));
  const tensors = new Map<string, TensorState>();
  for (const { wanted, parts } of pairsOf(nothing(kept.keys())))
    tensors.set(wanted.name, { step: counts.get(parts[0]?.from as string) as number });
  for (const key of new Set([...kept.values()].flatMap((own) => [...own.keys()]))) {
    const all = [...kept].flatMap(([name, own]): [string, Numbers][] => {
      const one = own.get(key);
      return isNumbers(one) && !counters.includes(key) ? [[name, one]] : [];
    });
    for (const { wanted, parts } of pairsOf(new Map(all))) {
      const owner = parts[0]?.from as string;
      const moment = momentOf(owner, key, kept.get(owner) as Kept, refuse);
      // Biases that are added here have equal gradients, and so equal moments.
      const { shape, data } = moved(wanted, parts);
      const numbers = { shape, data: data.map((value) => value / parts.length) };
      tensors.set(wanted.name, { ...(tensors.get(wanted.name) as TensorState), [moment]: numbers });
    }
  }
  const state = { step: Math.max(0, ...counts.values()), tensors };
  const rates = groups.flatMap((group, at) => {
    const rule = ruleOf(group, at, options, refuse);
    return pairsOf(nothing(group.names)).map(({ wanted: { name }, parts: { length } }): [string, RateRule] => [
      name,
      { ...rule, lr: rule.lr * length, weightDecay: rule.weightDecay / length },
    ]);
  });
  if ("setState" in target) target.setState(state);
  return { state, rates, groups };
}

/** Names alone. */
const nothing = (names: Iterable<string>): Map<string, Numbers> =>
  new Map([...names].map((name) => [name, { shape: [0], data: [] }]));

const isNumbers = (given: unknown): given is Numbers => Object(given).shape !== undefined;

function countOf(name: string, given: Numbers | PlainValue, refuse: Refuse): number {
  const count = isNumbers(given) ? given.data[0] : given;
  if (Number.isSafeInteger(count) && (count as number) >= 0) return count as number;
  return refuse(`"${name}" has had ${String(count)} steps, it must be a count`);
}

function momentOf(name: string, key: string, kept: Kept, refuse: Refuse): Moment {
  const has = [...kept].filter(([one, value]) => isNumbers(value) && !counters.includes(one)).map(([one]) => one);
  const form = forms.find((form) => has.every((one) => Object.hasOwn(form, one)));
  if (form !== undefined) return form[key] as Moment;
  return refuse(
    `of "${name}" it keeps ${named(has)}, which together are known of no rule`,
    "Adam, AdamW, SGD, RMSprop, Adagrad, Adadelta, Adamax, NAdam and RAdam are read; take the weights alone.",
  );
}

/** A group's rate, decay and, where a factory is given, rule. */
function ruleOf(
  { lr, weightDecay, options: own }: OptimizerGroup,
  at: number,
  options: LoadOptimizerOptions,
  refuse: Refuse,
) {
  const { optimizer, scheduled = false } = options;
  const rate = scheduled ? numberOf("initial_lr", own.initial_lr ?? lr, at, refuse) : lr;
  if (own.maximize === true)
    return refuse(`group ${at} maximizes, which no rule does here`, "Train the negative of the loss.");
  const rule = { lr: rate, weightDecay };
  if (optimizer === undefined) return rule;
  const known = Object.entries(own).filter(([key]) => ruleKeys.includes(key));
  return { ...rule, optimizer: optimizer({ ...rule, ...Object.fromEntries(known) }) };
}

/** What toPyTorch writes: "exp_avg/stem.weight". */
function writtenHere({ tensors }: FromPyTorch, refuse: Refuse): Read {
  const kept = new Map<string, Map<string, Numbers>>();
  for (const [key, tensor] of tensors) {
    const at = key.indexOf("/");
    if (at < 0) continue;
    const name = key.slice(at + 1);
    kept.set(name, (kept.get(name) ?? new Map()).set(key.slice(0, at), tensor));
  }
  const known = [...counters, ...forms.flatMap((form) => Object.keys(form))];
  const odd = [...kept.values()].flatMap((own) => [...own.keys()]).find((key) => !known.includes(key));
  if (kept.size === 0 || odd !== undefined)
    refuse(
      kept.size === 0 ? "it has no optimizer" : `it keeps "${odd}", which no optimizer of PyTorch does`,
      "Give what toPyTorch wrote as optimizer.",
    );
  return { kept, groups: [] };
}

const entries = (given: unknown): [string, PlainValue][] =>
  typeof given === "object" && given !== null ? Object.entries(given) : [];
const valueAt = (given: unknown, key: string): PlainValue | undefined =>
  entries(given).find(([one]) => one === key)?.[1];
const isOptimizer = (given: PlainValue): boolean => Array.isArray(valueAt(given, "param_groups"));

/** Paths of the optimizers in a file. */
const optimizersIn = (given: PlainValue, path = "", depth = 0): [path: string, value: PlainValue][] =>
  isOptimizer(given)
    ? [[path, given]]
    : depth === 4
      ? []
      : entries(given).flatMap(([key, one]) => optimizersIn(one, path === "" ? key : `${path}.${key}`, depth + 1));

function stateDict({ tensors, values }: FromPyTorch, options: LoadOptimizerOptions, refuse: Refuse): Read {
  const all = optimizersIn(values);
  const found = options.part === undefined ? all : all.filter(([path]) => path === options.part);
  const [one] = found;
  if (one === undefined || found.length > 1)
    return refuse(
      `${one === undefined ? "it has no optimizer" : `it has ${found.length} optimizers`}${options.part === undefined ? "" : ` "${options.part}"`}${all.length === 0 ? "" : `; those there are lie at ${named(all.map(([path]) => path))}`}`,
      all.length === 0 ? "Save optimizer.state_dict() with the weights." : "Name one as part.",
    );
  const [path, value] = one;
  const within = path === "" ? "" : `${path}.`;
  const groups = valueAt(value, "param_groups") as readonly PlainValue[];
  const ids = groups.flatMap((group, at) => idsOf(group, at, refuse));
  const numbered = ids.every((id) => /^\d+$/.test(id));
  const names = numbered ? orderOf(tensors, all, options, refuse) : ids;
  if (names.length !== ids.length)
    refuse(
      `its groups have ${ids.length} parameters, and ${names.length} names are known: ${named(names, 4)}`,
      "Give names in the order of the state dict, and order where the optimizer was given others or fewer.",
    );
  const nameOf = new Map(ids.map((id, i) => [id, names[i] as string]));
  const kept = new Map<string, Map<string, Numbers | PlainValue>>();
  const keep = (id: string, key: string, what: Numbers | PlainValue): void => {
    const name = nameOf.get(id);
    if (name === undefined) refuse(`it keeps something of parameter ${id}, which is in no group`);
    else kept.set(name, (kept.get(name) ?? new Map()).set(key, what));
  };
  for (const [id, own] of entries(valueAt(value, "state"))) {
    keep(id, "", null);
    for (const [key, plain] of entries(own)) keep(id, key, plain);
  }
  for (const [key, tensor] of tensors) {
    if (!key.startsWith(`${within}state.`)) continue;
    const rest = key.slice(within.length + "state.".length);
    keep(rest.slice(0, rest.lastIndexOf(".")), rest.slice(rest.lastIndexOf(".") + 1), tensor);
  }
  const told = groups.map((group, at): OptimizerGroup => {
    const { params, ...own } = group as Readonly<Record<string, PlainValue>>;
    return {
      names: idsOf(group, at, refuse).map((id) => nameOf.get(id) as string),
      lr: numberOf("lr", own.lr, at, refuse),
      weightDecay: numberOf("weight_decay", own.weight_decay ?? 0, at, refuse),
      options: own,
    };
  });
  return { kept, groups: told };
}

function idsOf(group: PlainValue, at: number, refuse: Refuse): string[] {
  const params = valueAt(group, "params");
  if (!Array.isArray(params)) return refuse(`group ${at} has no list of parameters`);
  return params.map(String);
}

function numberOf(what: string, value: PlainValue | undefined, at: number, refuse: Refuse): number {
  if (typeof value === "number" && value >= 0 && Number.isFinite(value)) return value;
  return refuse(
    `${what} of group ${at} is ${value === undefined ? "no plain number" : String(value)}`,
    "Save it as a number of at least 0: float(lr).",
  );
}

/** Names of the parameters in the order of their numbers. */
function orderOf(
  tensors: FromPyTorch["tensors"],
  optimizers: readonly (readonly [string, unknown])[],
  { names, order }: LoadOptimizerOptions,
  refuse: Refuse,
): readonly string[] {
  const outside = [...tensors.keys()].filter(
    (key) => !optimizers.some(([path]) => path === "" || key.startsWith(`${path}.`)),
  );
  const below = (part: string): string[] =>
    outside.filter((key) => key.startsWith(`${part}.`)).map((key) => key.slice(part.length + 1));
  const tops = [...new Set(outside.map((key) => key.split(".")[0] as string))];
  // A checkpoint has its weights below a key of their own; a rest of the file that is one state dict has several.
  const all = (
    typeof names === "string" ? below(names) : (names ?? (tops.length === 1 ? below(tops[0] as string) : outside))
  ).filter((name) => !isBuffer(name));
  if (order === undefined) return all;
  return order.flatMap((path) => {
    const own = all.filter((name) => name === path || name.startsWith(`${path}.`));
    if (own.length > 0) return own;
    return refuse(
      `order has "${path}", and no parameter is called so; there are ${named(all)}`,
      "Correct order or names.",
    );
  });
}
