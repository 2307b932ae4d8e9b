// A trainer in f64, composed of the references of its parts: the graph on the twins, the naive table of rates, and the update in
// plain loops. It does what each call of a sequence should do.

import { differentiate } from "../../src/graph/backward.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import * as source from "../../src/index.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { accumulate } from "../reference/accumulate.ts";
import { interpret } from "../reference/interpret.ts";
import { NaiveTable, NaiveTensor } from "../reference/rate-table.ts";
import { type SimulatedTensor, simulate, startOf } from "../reference/simulate.ts";
import { exact } from "../reference/twin.ts";
import { type Config, inputOf, modelOf, optimizerOf, optionsOf, schedules } from "./config.ts";
import { cut, type Meant } from "./samples.ts";

export type Tensors = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** Numbers of one tensor, and the length of the way that they have gone. */
export interface RefTensor extends SimulatedTensor {
  readonly name: string;
  path: number;
  /** Whether its mean has seen each of its steps; one that rests is another story's. */
  isMeanKnown: boolean;
}

export interface Seen {
  readonly loss: number;
  readonly accuracy: number;
  /** Samples whose largest logits are so near to each other that rounding may decide. */
  readonly close: number;
  readonly samples: number;
}

/** What a training makes of a batch. */
interface Passed extends Seen {
  readonly gradients: readonly Float64Array[];
  readonly prediction: Float64Array;
}

/** How near logits are that count as equal. */
const CLOSE = 1e-4;

export class Reference {
  readonly config: Config;
  readonly table: NaiveTable;
  readonly graph: Graph;
  tensors: RefTensor[];
  /** Updates made. */
  step = 0;
  readonly #ids: {
    data: [number, number, number, number];
    loss: number;
    prediction: number;
    parameters: readonly number[];
  };
  readonly #gradients: ReadonlyMap<number, number>;
  readonly #settings: UpdateSettings;

  constructor(config: Config, start: Tensors) {
    this.config = config;
    const { input, batch, loss, accumulate: micro } = optionsOf(source, config, undefined as unknown as GPUDevice);
    const optimizer = optimizerOf(source, config);
    const inputs = [{ name: "", shape: [...input] }];
    const traced = trace(modelOf(source, config), {
      ...{ inputs, batch, loss, format: plainFormat(inputs), mode: "train" },
    });
    const { graph, parameters, parameterIds } = traced;
    const prediction = traced.outputs[0]?.id as number;
    const losses = traced.objective?.losses ?? [];
    const data = graph.nodes[0]?.inputs as [number, number, number, number];
    this.#ids = { data, loss: losses[0] as number, prediction, parameters: parameterIds };
    this.#gradients = differentiate(graph, losses, new Set(parameterIds));
    this.graph = graph;
    const factor = (schedules[config.schedule] as (typeof schedules)[number])[1];
    const rows = parameters.map(({ name, layer, shape }) => {
      const decay = optimizer.sparesVectors && shape.length <= 1 ? 0 : optimizer.weightDecay;
      const row = new NaiveTensor(name, layer, "sgd", optimizer.lr, decay);
      const formula = (rate: number, weightDecay: number, t: number): number[] => {
        const numbers = new Float64Array(4);
        optimizer.writeRow(numbers as unknown as Float32Array, 0, rate, weightDecay, t);
        return [...numbers];
      };
      return Object.assign(row, { schedule: factor, averaging: config.averaging ?? 0, formula });
    });
    this.table = new NaiveTable(rows, Number.POSITIVE_INFINITY);
    const { clip } = config;
    this.#settings = {
      rules: [optimizer.rule],
      layers: rows.length,
      clamp: clip !== null && "value" in clip ? clip.value : undefined,
      clip:
        clip === null || "value" in clip
          ? undefined
          : "norm" in clip
            ? { most: clip.norm, byLayer: false }
            : { most: clip.layerNorm, byLayer: true },
      controllers: [],
      accumulate: micro,
      average: config.averaging !== null,
      momentum: false,
    };
    const { rule } = optimizer;
    this.tensors = parameters.map(({ name }) => {
      const weights = Float64Array.from(start.get(name)?.data as Float32Array);
      const moments = rule.moments.map(() => new Float64Array(weights.length).fill(rule.initial ?? 0));
      const arrays = [weights, ...moments];
      return { name, rule, layer: 0, share: 0, arrays, mean: weights.slice(), moved: 0, path: 0, isMeanKnown: true };
    });
  }

  /** All that changes, for a checkpoint or to try a call. */
  state() {
    const tensors = this.tensors.map((one) => ({ ...one, arrays: [...one.arrays] }));
    return { tensors, rows: this.table.tensors.map((row) => row.copy()), step: this.step };
  }

  restore({ tensors, rows, step }: ReturnType<Reference["state"]>): void {
    this.tensors = tensors.map((one) => ({ ...one, arrays: [...one.arrays] }));
    this.table.tensors = rows.map((row) => row.copy());
    this.step = step;
  }

  /** Forward and backward on at most a batch. */
  pass({ x, y, count }: Meant, averaged = false): Passed {
    const { data, loss, prediction, parameters } = this.#ids;
    const values = new Map<number, Float64Array>([
      [data[0], x],
      [data[1], y],
      [data[2], Float64Array.from({ length: count }, (_, i) => i)],
      // Nothing is scaled.
      [data[3], new Float64Array()],
    ]);
    for (const [i, id] of parameters.entries()) {
      const tensor = this.tensors[i] as RefTensor;
      values.set(id, averaged ? tensor.mean : (tensor.arrays[0] as Float64Array));
    }
    const all = interpret(this.graph, values, { step: 1, start: 0, count }, exact);
    const rows = all.get(loss) as Float64Array;
    const sum = (odd: 0 | 1): number => rows.reduce((total, value, i) => (i % 2 === odd ? total + value : total), 0);
    const out = (all.get(prediction) as Float64Array).subarray(0, (rows.length / 2 && count) * this.outputs);
    const isClass = this.config.loss === "crossEntropy";
    const logits = Array.from({ length: count }, (_, b) => [...out.subarray(b * this.outputs, (b + 1) * this.outputs)]);
    const close = logits.filter((row) => {
      const [first = 0, second = Number.NEGATIVE_INFINITY] = row.sort((a, b) => b - a);
      return first - second < CLOSE;
    }).length;
    return {
      loss: sum(0) / count,
      accuracy: isClass ? sum(1) / count : Number.NaN,
      close: isClass ? close : 0,
      samples: count,
      gradients: parameters.map((id) => all.get(this.#gradients.get(id) as number) as Float64Array),
      prediction: out,
    };
  }

  get outputs(): number {
    return this.config.loss === "crossEntropy" ? 3 : 2;
  }

  /** Passes over any number of samples, batch by batch. */
  look(all: Meant, averaged = false): Seen & { readonly prediction: number[] } {
    const passes = this.#batches(all).map((batch) => this.pass(batch, averaged));
    return { ...means(passes), prediction: passes.flatMap(({ prediction }) => [...prediction]) };
  }

  #batches(all: Meant): Meant[] {
    const { batch } = this.config;
    return Array.from({ length: Math.ceil(all.count / batch) }, (_, i) => cut(all, i * batch, (i + 1) * batch));
  }

  /** One update from micro-batches, weighted by their samples. */
  train(batches: readonly Meant[]): Seen & { readonly step: number } {
    const passes = batches.map((batch) => this.pass(batch));
    const seen = means(passes);
    const sums = this.tensors.map((_, i) =>
      passes.reduce<Float64Array | undefined>(
        (sum, { gradients, samples }) => accumulate(sum, gradients[i] as Float64Array, samples / seen.samples, exact),
        undefined,
      ),
    );
    this.update(sums as Float64Array[], seen.loss);
    return { ...seen, step: this.step };
  }

  /** Epochs of updates; `steps` is the most of them. Gives what each step and each epoch should tell. */
  fit(batchesOf: (epoch: number) => readonly Meant[], epochs: number, steps: number) {
    const told: (Seen & { readonly step: number })[] = [];
    const whole: Seen[] = [];
    for (let epoch = 0; epoch < epochs && told.length < steps; epoch++) {
      const batches = batchesOf(epoch);
      const first = told.length;
      for (let at = 0; at < batches.length && told.length < steps; at += this.config.accumulate) {
        told.push(this.train(batches.slice(at, at + this.config.accumulate)));
      }
      if (told.length - first === Math.ceil(batches.length / this.config.accumulate))
        whole.push(means(told.slice(first)));
    }
    return { told, whole };
  }

  /** The batches of an epoch in order. */
  batchesOf(all: Meant): readonly Meant[] {
    return this.#batches(all);
  }

  /** An update; tensors that do not take part keep all they have. */
  update(gradients: readonly Float64Array[], loss: number, takesPart: (row: number) => boolean = () => true): void {
    const rows = this.table.rows(this.step, takesPart);
    const layers = this.table.tensors.map(({ group }) => group);
    const names = [...new Set(layers)];
    const before = this.tensors;
    const tensors = before.map((tensor, i) => ({
      ...tensor,
      layer: names.indexOf(layers[i] as string),
      share: 1 - (this.table.tensors[i] as NaiveTensor).averaging,
    }));
    const table = Float64Array.from(rows) as unknown as Float32Array;
    const world = startOf(tensors, names.length, () => false);
    simulate(world, this.#settings, { step: this.step, table, gradients, loss, momentum: undefined }, exact);
    this.tensors = tensors.map((tensor, i) => {
      const rests = rows[4 * i + 3] === 0;
      return {
        ...tensor,
        path: tensor.path + (rests ? 0 : Math.sqrt(tensor.moved)),
        isMeanKnown: tensor.isMeanKnown && !rests,
      };
    });
    this.step++;
  }

  /** Weights set by hand: their means start anew. */
  set(name: string, values: ArrayLike<number>): void {
    this.tensors = this.tensors.map((tensor) => {
      if (tensor.name !== name) return tensor;
      const weights = Float64Array.from(values, Math.fround);
      return { ...tensor, arrays: [weights, ...tensor.arrays.slice(1)], mean: weights.slice(), isMeanKnown: true };
    });
  }

  get knowsMeans(): boolean {
    return this.config.averaging !== null && this.tensors.every(({ isMeanKnown }) => isMeanKnown);
  }

  /** Input numbers of a sample. */
  get features(): number {
    return inputOf(this.config).reduce((a, b) => a * b, 1);
  }
}

function means(all: readonly Seen[]): Seen {
  const samples = all.reduce((sum, one) => sum + one.samples, 0);
  const mean = (key: "loss" | "accuracy"): number =>
    all.reduce((sum, one) => sum + one[key] * one.samples, 0) / samples;
  const close = all.reduce((sum, one) => sum + one.close, 0);
  return { loss: mean("loss"), accuracy: mean("accuracy"), close, samples };
}
