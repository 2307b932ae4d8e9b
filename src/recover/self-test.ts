// What a page gives to `compile` so that an adapter that computes wrongly is named before anything is trained on it: kernels of the very
// step, forward and backward, run twice on small whole numbers, of which the host reckons what they must make.

import { DeviceError, OptionError, type SelfTest, type Work } from "../index.ts";
import type { Core, Gpu, Tuning } from "./core.ts";
import { count, digit, ends, type Rule, rules } from "./reckon.ts";
import { ALIGNED, isBound, runTwice, type Trial } from "./twice.ts";

/** What a self-test has found to be right. */
export interface SelfTestResult {
  /** The kernels, each with what it worked on: "matmul [64x784] x [784x256] +bias +relu". */
  readonly kernels: readonly string[];
  /** How long they ran and were reckoned, without compiling what the step needs anyway. */
  readonly milliseconds: number;
}

/** Options of `selfTest`. */
export interface SelfTestOptions {
  /** Told of what was tried, once all of it was right. */
  readonly onResult?: (result: SelfTestResult) => void;
}

type Kernel = NonNullable<Work["op"]["kernel"]>;
type Tensor = Work["all"][number];

/** A work of the step, as it is tried. */
interface Tried extends Trial {
  readonly work: Work;
  readonly rule: Rule;
  /** "matmul [64x784] x [784x256]". */
  readonly name: string;
  /** First number of each tensor, by id: of inputs among those given, of outputs among the results. */
  readonly places: ReadonlyMap<number, number>;
}

/** All that is tried, and how many numbers it is given and makes. */
interface Trials {
  readonly tried: readonly Tried[];
  readonly given: number;
  readonly made: number;
}

/** Numbers of all that is tried: what would make them more is passed over. */
const MOST = 2 ** 23;
/** Results that are reckoned of an output, and terms of all their sums. */
const [SAMPLES, TERMS] = [48, 2 ** 20];

/** What runs where nothing was measured. */
const untuned: Tuning = {
  choose: () => undefined,
  measure: async () => false,
  signature: undefined,
  choices: undefined,
  restore: () => false,
};

/**
 * Asks an adapter whether it computes rightly, before `compile` gives a trainer: products, convolutions and the usual losses of the
 * training step, forward and backward, each of its shaders at the smallest shape that it has there, run twice on small whole numbers in
 * one submission, and nothing of it stays. What is not as the host reckons it, or has other bits the second time, is a DeviceError that
 * names adapter, kernel and both numbers. Throws OptionError where an option cannot be.
 *
 * @example
 * const trainer = await compile(model, { ...options, selfTest: selfTest() });
 */
export function selfTest(options: SelfTestOptions = {}): SelfTest {
  const odd = Object.keys(Object(options)).find((key) => key !== "onResult");
  if (odd !== undefined) throw new OptionError(`selfTest: it has no "${odd}". It may have onResult.`);
  const { onResult } = Object(options) as SelfTestOptions;
  if (onResult !== undefined && typeof onResult !== "function")
    throw new OptionError(`selfTest: onResult is ${String(onResult)}, it must be a function.`);
  return {
    open(gpu, core, tuning = untuned) {
      let heard: (readonly [Kernel, Work])[] | undefined = [];
      const value = (kernel: Kernel, work: Work) => {
        heard?.push([kernel, work]);
        return tuning.choose(kernel, work);
      };
      return {
        tuning: Object.create(tuning, { choose: { value } }) as Tuning,
        async run() {
          const works = heard ?? [];
          heard = undefined;
          const trials = smallest(works, core, tuning);
          if (trials.tried.length === 0) {
            core.warn("selfTest: it knows no kernel of this step, so nothing was tried.");
            return;
          }
          const told = await demandRight(gpu, trials);
          onResult?.(told);
        },
      };
    },
  };
}

/** Of works that have one shader the smallest, each with places for its tensors. */
function smallest(works: readonly (readonly [Kernel, Work])[], core: Core, tuning: Tuning): Trials {
  const found = new Map<string, Tried>();
  let [given, made] = [0, 0];
  const known = works.flatMap(([kernel, work]) => {
    const rule = rules[work.op.name];
    return rule === undefined || rule.fits?.(work) === false ? [] : [{ kernel, rule, work: reckonable(work) }];
  });
  for (const { kernel, rule, work } of known.toSorted((a, b) => lengthOf(a.work) - lengthOf(b.work))) {
    if (given + made + lengthOf(work) > MOST) break;
    const { tensors, times, ...rest } = core.chosen(kernel, work, tuning);
    const shader = `${kernel.name} ${JSON.stringify(rest.holes)}`;
    const command = core.commandOf({ kernel: kernel.name, ...rest, when: 0, layer: "" }, (name) => ({
      arena: "",
      offset: 0,
      bytes: 16 * Math.ceil(count(tensors[name]?.shape ?? []) / 4),
    }));
    const bound = Object.entries(tensors);
    if (
      found.has(shader) ||
      times > 1 ||
      !isBound(
        command,
        bound.map(([name]) => name),
      )
    )
      continue;
    const places = new Map<number, number>();
    for (const { id, shape } of work.all) {
      if (places.has(id)) continue;
      places.set(id, given);
      given += rounded(count(shape));
    }
    for (const { id, shape } of work.outputs) {
      places.set(id, made);
      made += rounded(count(shape));
    }
    const isGiven = (tensor: Tensor): boolean => work.all.some(({ id }) => id === tensor.id);
    const placed = (side: boolean): Map<string, number> =>
      new Map(
        bound
          .filter(([, tensor]) => isGiven(tensor) === side)
          .map(([name, { id }]) => [name, 4 * (places.get(id) as number)]),
      );
    const name = `${kernel.name} ${rest.note}`;
    found.set(shader, { work, rule, name, places, command, inputs: placed(true), outputs: placed(false) });
  }
  return { tried: [...found.values()], given, made };
}

/** So many numbers that the next may be bound. */
const rounded = (numbers: number): number => Math.ceil((4 * numbers) / ALIGNED) * (ALIGNED / 4);
const lengthOf = ({ all, outputs }: Work): number =>
  [...all, ...outputs].reduce((sum, { shape }) => sum + rounded(count(shape)), 0);

/** The work, without what stands at its end where that cannot be reckoned. */
function reckonable(work: Work): Work {
  const { op, all, outputs, tensors, epilogue } = work;
  /** The operand stands under the end of the result, as it is. */
  const isPlain = ({ shape }: Tensor, whole: readonly number[]): boolean =>
    shape.length > 0 && String(whole.slice(-shape.length)) === String(shape);
  const isKnown = epilogue.every(
    ({ op: { name }, inputs, shape, kept }) =>
      ends[name] !== undefined &&
      kept === undefined &&
      inputs.every((place) => place === undefined || isPlain(all[place] as Tensor, shape)),
  );
  if (isKnown) return work;
  const own = (names: readonly string[]): Tensor[] => names.flatMap((name) => tensors[name] ?? []);
  return { ...work, epilogue: [], all: own(op.inputs), outputs: own(op.outputs).slice(0, outputs.length) };
}

/** Runs all of it. Throws DeviceError where something is wrong. */
async function demandRight(gpu: Gpu, { tried, given, made }: Trials): Promise<SelfTestResult> {
  const reals = Float32Array.from({ length: given }, (_, i) => digit(i));
  const words = new Uint32Array(reals.buffer);
  for (const { work, rule, places } of tried) {
    for (const [name, hold] of Object.entries(rule.holds ?? {})) {
      const { id, shape, dtype } = work.tensors[name] as Tensor;
      const [into, first] = [dtype === "u32" ? words : reals, places.get(id) as number];
      for (let at = 0; at < count(shape); at++) into[first + at] = hold(work, at);
    }
  }
  const samples = tried.map(({ work }) => work.tensors.prediction?.shape[0] ?? 1);
  const { runs, milliseconds } = await runTwice(gpu, tried, words, 4 * made, Math.max(...samples));
  const begin = performance.now();
  for (const one of tried) {
    const wrong = faultOf(one, reals, runs);
    if (wrong === undefined) continue;
    throw new DeviceError(
      `selfTest: ${gpu.adapter} computes wrongly: ${one.name} gave ${wrong}. Train on another adapter, or update browser and driver.`,
    );
  }
  return { kernels: tried.map(({ name }) => name), milliseconds: milliseconds + performance.now() - begin };
}

/** What is wrong with the results of a trial, if anything is. */
function faultOf(
  { work, rule, places }: Tried,
  reals: Float32Array,
  [first, second]: readonly [Float32Array, Float32Array],
): string | undefined {
  const { near = 0, makes } = rule;
  const read = (id: number | undefined, at: number): number =>
    reals[(places.get(id as number) as number) + at] as number;
  for (const { id, shape } of work.outputs) {
    const [name = ""] = Object.entries(work.tensors).find(([, tensor]) => tensor.id === id) ?? [];
    const from = places.get(id) as number;
    const make = makes[name];
    if (make !== undefined) {
      // The parts of a sum lie one after the other.
      const parts = Number(work.attributes.splits ?? 1);
      const length = count(shape) / parts;
      const terms = (work.op.work?.(work.tensors, work.attributes) ?? count(work.all[0]?.shape ?? [])) / length;
      const right = spread(length, terms).map((at) => {
        const sum = make(work, (input, i) => read(work.tensors[input]?.id, i), at);
        return [at, ended(work, sum, at, read)] as const;
      });
      const most = Math.max(...right.map(([, value]) => Math.abs(value)));
      for (const [at, value] of right) {
        let got = 0;
        for (let part = 0; part < parts; part++) got += first[from + part * length + at] as number;
        if (!(Math.abs(got - value) <= near * most))
          return `${got} as number ${at} of ${name}, where ${Math.fround(value)} is right`;
      }
    }
    for (let at = from; at < from + count(shape); at++) {
      const [once, again] = [first[at], second[at]];
      if (!Object.is(once, again)) return `${once} as number ${at - from} of ${name}, and then ${again}`;
    }
  }
  return undefined;
}

/** Places in a result of this length, the first and the last among them; fewer where each is a long sum. */
function spread(length: number, terms: number): readonly number[] {
  const most = Math.max(4, Math.min(SAMPLES, Math.floor(TERMS / terms)));
  if (length <= most) return Array.from({ length }, (_, at) => at);
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}

/** A number behind the end of its kernel. */
function ended({ all, epilogue }: Work, value: number, at: number, read: (id: number, at: number) => number): number {
  return epilogue.reduce((result, { op, inputs }) => {
    const [x = 0, y = 0] = inputs.map((place) => {
      const operand = place === undefined ? undefined : all[place];
      return operand === undefined ? result : read(operand.id, at % count(operand.shape));
    });
    return (ends[op.name] as (typeof ends)[string])(x, y);
  }, value);
}
