// The layer table once more, naively: an object for each tensor, every rule spelled out, in f64. It shares no code with the
// table of the engine.

export type NaiveWhen = number | { readonly epochs: number };
/** Factor of a step, and of the updates since the tensor last began to train. */
export type NaiveSchedule = (step: number, trained: number) => number;

export interface NaiveRule {
  readonly lr?: number;
  readonly multiplier?: number;
  readonly weightDecay?: number;
  readonly averaging?: number;
  readonly schedule?: NaiveSchedule;
  readonly frozen?: boolean;
  readonly from?: NaiveWhen;
  readonly until?: NaiveWhen;
}

export class NaiveTensor {
  readonly name: string;
  readonly home: string;
  readonly rule: "adamw" | "sgd";
  group: string;
  lr: number;
  multiplier = 1;
  weightDecay: number;
  averaging = 0;
  schedule: NaiveSchedule = () => 1;
  frozen = false;
  from: NaiveWhen | null = null;
  until: NaiveWhen | null = null;
  updates = 0;
  trained = 0;
  /** The four numbers of its row from rate, decay and the number of the update, where it is none of the two rules above. */
  formula: ((rate: number, decay: number, t: number) => readonly number[]) | undefined;

  constructor(name: string, home: string, rule: "adamw" | "sgd", lr: number, weightDecay: number) {
    this.name = name;
    this.home = home;
    this.group = home;
    this.rule = rule;
    this.lr = lr;
    this.weightDecay = weightDecay;
  }

  get address(): string {
    if (this.group === this.home) return this.name;
    return `${this.group}.${this.name}`;
  }

  copy(): NaiveTensor {
    return Object.assign(new NaiveTensor(this.name, this.home, this.rule, 0, 0), this);
  }
}

/** Whether a pattern names a path or something above it, letter by letter. */
export function names(pattern: string, path: string, begins = true): boolean {
  if (pattern === "") return path === "" || path.startsWith(".");
  // A `**` that is a whole part may be no part at all.
  if (begins && pattern.startsWith("**.") && names(pattern.slice(3), path)) return true;
  if (pattern.startsWith("**")) {
    for (let i = 0; i <= path.length; i++) if (names(pattern.slice(2), path.slice(i), false)) return true;
    return false;
  }
  if (pattern.startsWith("*")) {
    for (let i = 0; i <= path.length; i++) {
      if (names(pattern.slice(1), path.slice(i), false)) return true;
      if (path[i] === ".") return false;
    }
    return false;
  }
  return path !== "" && pattern[0] === path[0] && names(pattern.slice(1), path.slice(1), pattern[0] === ".");
}

/** Every method that changes something says whether it could; if not, nothing has changed. */
export class NaiveTable {
  tensors: NaiveTensor[];
  readonly stepsPerEpoch: number;

  constructor(tensors: NaiveTensor[], stepsPerEpoch: number) {
    this.tensors = tensors;
    this.stepsPerEpoch = stepsPerEpoch;
  }

  #begins(when: NaiveWhen): number {
    if (typeof when === "number") return when;
    let step = 0;
    while (step < when.epochs * this.stepsPerEpoch) step++;
    return step;
  }

  frozen(tensor: NaiveTensor, step: number): boolean {
    if (tensor.frozen) return true;
    if (tensor.from !== null && step < this.#begins(tensor.from)) return true;
    if (tensor.until !== null && step >= this.#begins(tensor.until)) return true;
    return false;
  }

  #attempt(
    step: number,
    pattern: string,
    change: (tensor: NaiveTensor, all: readonly NaiveTensor[]) => boolean,
  ): boolean {
    const before = this.tensors;
    const after = before.map((tensor) => tensor.copy());
    let found = 0;
    for (const [i, tensor] of after.entries()) {
      if (!names(pattern, (before[i] as NaiveTensor).address)) continue;
      found++;
      if (!change(tensor, before)) return false;
    }
    if (found === 0) return false;
    const alive = (all: readonly NaiveTensor[]): boolean => {
      for (const tensor of all) {
        const over = typeof tensor.until === "number" && tensor.until <= step;
        if (!tensor.frozen && !over) return true;
      }
      return false;
    };
    if (alive(before) && !alive(after)) return false;
    this.tensors = after;
    return true;
  }

  set(step: number, pattern: string, rule: NaiveRule): boolean {
    return this.#attempt(step, pattern, (tensor) => {
      if (rule.lr !== undefined) {
        tensor.lr = rule.lr;
        tensor.multiplier = 1;
      }
      if (rule.multiplier !== undefined) tensor.multiplier = rule.multiplier;
      if (rule.weightDecay !== undefined) tensor.weightDecay = rule.weightDecay;
      if (rule.averaging !== undefined) tensor.averaging = rule.averaging;
      if (rule.schedule !== undefined) tensor.schedule = rule.schedule;
      if (rule.frozen !== undefined) tensor.frozen = rule.frozen;
      if (rule.from !== undefined) tensor.from = rule.from;
      if (rule.until !== undefined) tensor.until = rule.until;
      const { from, until } = tensor;
      if (typeof from === "number" && typeof until === "number" && from >= until) return false;
      if (from !== null && until !== null && typeof from === "object" && typeof until === "object") {
        if (from.epochs >= until.epochs) return false;
      }
      for (const value of [rule.lr, rule.multiplier, rule.weightDecay])
        if (value !== undefined && value < 0) return false;
      return true;
    });
  }

  freeze(step: number, pattern: string): boolean {
    return this.#attempt(step, pattern, (tensor) => {
      tensor.frozen = true;
      return true;
    });
  }

  unfreeze(step: number, pattern: string): boolean {
    return this.#attempt(step, pattern, (tensor) => {
      tensor.frozen = false;
      tensor.from = null;
      tensor.until = null;
      return true;
    });
  }

  assign(step: number, pattern: string, layer: string): boolean {
    if (!this.tensors.some(({ home }) => home === layer)) return false;
    return this.#attempt(step, pattern, (tensor, all) => {
      if (tensor.group === layer) return true;
      tensor.group = layer;
      const members = all.filter(({ group }) => group === layer);
      const [first] = members;
      if (first === undefined) return true;
      const last = (name: string) => name.split(".").at(-1);
      const model = members.find(({ name }) => last(name) === last(tensor.name)) ?? first;
      tensor.lr = model.lr;
      tensor.multiplier = model.multiplier;
      tensor.weightDecay = model.weightDecay;
      tensor.averaging = model.averaging;
      tensor.schedule = model.schedule;
      tensor.frozen = model.frozen;
      tensor.from = model.from;
      tensor.until = model.until;
      return true;
    });
  }

  scale(step: number, pattern: string, factor: number, floor: number, eps: number): boolean {
    if (factor < 0) return false;
    return this.#attempt(step, pattern, (tensor) => {
      const rate = tensor.lr * tensor.multiplier;
      const wanted = rate * factor;
      if (wanted >= floor || wanted >= rate) {
        if (Math.abs(wanted - rate) > eps) tensor.lr = tensor.lr * factor;
      } else if (floor < rate && rate - floor > eps) {
        tensor.lr = floor / tensor.multiplier;
      }
      return true;
    });
  }

  /** The four numbers of every tensor at a step, in f32, all of which are then counted. */
  write(step: number): number[] {
    return this.rows(step).map(Math.fround);
  }

  /** The same in f64; tensors that take no part in the step are not counted. */
  rows(step: number, takesPart: (row: number) => boolean = () => true): number[] {
    const written: number[] = [];
    for (const [row, tensor] of this.tensors.entries()) {
      if (this.frozen(tensor, step)) {
        tensor.trained = 0;
        written.push(0, 0, 0, 0);
        continue;
      }
      if (!takesPart(row)) {
        written.push(0, 0, 0, 0);
        continue;
      }
      const rate = tensor.lr * tensor.multiplier * tensor.schedule(step, tensor.trained);
      tensor.updates += 1;
      tensor.trained += 1;
      const t = tensor.updates;
      const correction = (beta: number): number => -Math.expm1(t * Math.log(beta));
      if (tensor.formula !== undefined) written.push(...tensor.formula(rate, tensor.weightDecay, t));
      else if (tensor.rule === "sgd") written.push(rate, tensor.weightDecay, 1, 1);
      else written.push(rate, rate * tensor.weightDecay, rate / correction(0.9), 1 / Math.sqrt(correction(0.999)));
    }
    return written;
  }
}
