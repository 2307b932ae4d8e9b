// The trainer as the page has it: the methods of one that trains on the page, each with a promise.

import type {
  Data,
  EvaluateOptions,
  Evaluation,
  FindRateOptions,
  FineTuneOptions,
  FitOptions,
  FitResult,
  FoundRates,
  HostTensor,
  Inputs,
  LayerRates,
  PredictOptions,
  Samples,
  StreamNumbers,
  Trainer,
  UploadOptions,
} from "../index.ts";
import { rateCalls, trainerCalls, UPLOADED } from "./calls.ts";
import type { Link } from "./link.ts";

/** Options of calls that hand arrays to the worker. */
export interface Moving {
  /**
   * Hands the memory of all typed arrays in the arguments over to the worker, without a copy: on the page they are empty after that.
   * Default false: they are copied once.
   */
  readonly move?: boolean;
}

/** Samples that lie in the worker and on its device. */
export interface WorkerUpload {
  /** Samples in it. */
  readonly count: number;
  /** Frees what it holds. It cannot be used after that. */
  dispose(): void;
  /** As `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void;
}

/** Data of the page, an upload, or the name of one of the module's `data`. An iterable that makes batches stands in the module. */
export type WorkerData = Data | WorkerUpload | string;

/** A method that answers by a promise. */
type Later<Method> = Method extends (...given: infer Given) => infer Result
  ? (...given: Given) => Promise<Awaited<Result>>
  : never;

/** As `rates` of a trainer on the page, each with a promise: a change that `onStep` makes in lockstep acts on the next step. */
export interface WorkerRates {
  /** As `rates.set` of a trainer. */
  set: Later<LayerRates["set"]>;
  /** As `rates.freeze` of a trainer. */
  freeze: Later<LayerRates["freeze"]>;
  /** As `rates.unfreeze` of a trainer. */
  unfreeze: Later<LayerRates["unfreeze"]>;
  /** As `rates.assign` of a trainer. */
  assign: Later<LayerRates["assign"]>;
  /** As `rates.scale` of a trainer. */
  scale: Later<LayerRates["scale"]>;
  /** As `rates.edits` of a trainer. */
  edits: Later<LayerRates["edits"]>;
  /** As `rates.replay` of a trainer. */
  replay: Later<LayerRates["replay"]>;
  /** As `rates.table` of a trainer. */
  table(options?: { readonly tensors?: false }): Promise<ReturnType<LayerRates["table"]>>;
}

/** As those of `fit`; validation data may be an upload, or the name of data that the module has. */
interface WorkerFitOptions extends Omit<FitOptions, "validation">, Moving {
  /** Evaluated after each epoch. */
  readonly validation?: WorkerData;
}

/**
 * Made by `compileInWorker`. Each call is a message, in the order of the calls, and takes its turn as on the page; errors keep their
 * class, name and message. What is asked after the worker has ended, or waits when it does, is refused with a DeviceError.
 */
export interface WorkerTrainer {
  /** Which adapter runs, for example "google swiftshader (software)". */
  readonly adapter: string;
  /** Whether a CPU does the work of a GPU. */
  readonly software: boolean;
  /** Of one sample; of the first of several inputs. */
  readonly inputShape: readonly number[];
  /** Of what the model makes of one sample; of the first of several outputs. */
  readonly outputShape: readonly number[];
  /** Numbers in all tensors. */
  readonly parameterCount: number;
  /** Updates made so far, as far as the page has heard. */
  readonly steps: number;
  /** Live changes, by messages. */
  readonly rates: WorkerRates;
  /**
   * As `fit` of a trainer. Steps are streamed to `onStep` and `onStats` and not waited for, but with `lockstep: true`, where each step
   * waits until the page has heard of it; once a listener returns a promise, the steps after that wait, too. `onEpoch` is always waited for.
   */
  fit(data: WorkerData, options?: WorkerFitOptions): Promise<FitResult>;
  /** As `fineTune` of a trainer, with listeners as those of `fit`. */
  fineTune(data: WorkerData, options?: FineTuneOptions & Moving): Promise<FitResult>;
  /** As `findRate` of a trainer. */
  findRate(data: WorkerData, options?: FindRateOptions & Moving): Promise<FoundRates>;
  /** One update, as of a trainer. */
  step: Trainer["step"];
  /** As of a trainer; data may be an upload or the name of data that the module has. */
  evaluate(data: WorkerData, options?: EvaluateOptions & Moving): Promise<Evaluation>;
  /** As of a trainer; likewise. */
  predict(
    x: StreamNumbers | Inputs | WorkerUpload | string,
    options?: PredictOptions & { readonly averaged?: boolean } & Moving,
  ): Promise<HostTensor>;
  /**
   * Puts samples into the worker and, in pieces, on its device once, for `fit`, `evaluate` and `predict`: without it each call sends them
   * again.
   */
  upload(samples: Samples | string, options?: UploadOptions & Moving): Promise<WorkerUpload>;
  /** As of a trainer. */
  weights: Trainer["weights"];
  /** As of a trainer. */
  averages: Trainer["averages"];
  /** As of a trainer. */
  setWeights: Later<Trainer["setWeights"]>;
  /** As of a trainer. */
  transfer: Later<Trainer["transfer"]>;
  /** As of a trainer. */
  state: Trainer["state"];
  /** As of a trainer. */
  setState: Later<Trainer["setState"]>;
  /** As of a trainer. */
  gradients: Trainer["gradients"];
  /** As of a trainer. */
  applyGradients: Trainer["applyGradients"];
  /** As `save` of a trainer: the bytes are the page's, a file of either side's is loaded by the other. */
  save: Trainer["save"];
  /** As of a trainer. */
  load: Later<Trainer["load"]>;
  /** As of a trainer. */
  memory: Later<Trainer["memory"]>;
  /** Ends a running fit: it lands within the steps under way, and in lockstep after the step that the page hears of. */
  stop(): void;
  /** Frees everything on the device, then ends the worker. What still waits is refused with a GradusError. It may be called twice. */
  dispose(): Promise<void>;
  /** As `dispose`, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type About = Pick<WorkerTrainer, "adapter" | "software" | "inputShape" | "outputShape" | "parameterCount">;

/** The trainer behind a link. */
export function trainerOver(link: Link, about: About, dispose: () => Promise<void>): WorkerTrainer {
  const methods = (prefix: string, names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(
      names.map((name) => [name, (...given: unknown[]) => link.call(`${prefix}${name}`, given.map(sent))]),
    );
  const trainer = {
    ...about,
    ...methods("", trainerCalls),
    rates: methods("rates.", rateCalls),
    async fit(data: WorkerData, options: WorkerFitOptions = {}) {
      const { validation, ...rest } = options;
      return link.call("fit", [
        sent(data),
        validation === undefined ? rest : { ...rest, validation: sent(validation) },
      ]);
    },
    async upload(samples: Samples | string, options: UploadOptions & Moving = {}) {
      const { count, ...place } = (await link.call("upload", [samples, options])) as { count: number };
      const free = (): void => void link.call("free", [Object.values(place)[0]]).catch(() => undefined);
      const upload: WorkerUpload = { count, dispose: free, [Symbol.dispose]: free };
      places.set(upload, place);
      return upload;
    },
    stop: link.stop,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
  Object.defineProperty(trainer, "steps", { get: link.steps, enumerable: true });
  return trainer as unknown as WorkerTrainer;
}

/** What stands for an upload in a message. */
const places = new WeakMap<object, { readonly [UPLOADED]?: number }>();

const sent = (value: unknown): unknown => (typeof value === "object" && value !== null && places.get(value)) || value;
