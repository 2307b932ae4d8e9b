// A trainer behind a port: each request is a call of one of its methods, whose result or error goes back. Events of a fit are
// streamed; they are waited for in lockstep, and once a listener of the page has returned a promise.

import { compile, type Data, GradusError, OptionError, type Trainer, type Uploaded } from "../index.ts";
import { calls, UPLOADED } from "./calls.ts";
import { packed } from "./crossing.ts";
import { faultOf } from "./fault.ts";
import { type Answer, isPromise, type Port, type Request } from "./messages.ts";
import type { Listeners, ServedParts } from "./parts.ts";

type Parts = ServedParts | ((given: unknown) => ServedParts | Promise<ServedParts>);
type Call = Extract<Request, { readonly call: string }>;
type Options = Readonly<Record<string, unknown>>;
type Method = (...given: unknown[]) => unknown;

/** Calls whose first argument is data. */
const withData = ["fit", "evaluate", "predict", "findRate", "fineTune", "upload"];

/** Answers what comes over a port. `make`: in the place of `compile`. */
export function answer(port: Port, parts: Parts, make: typeof compile = compile): void {
  let trainer: Trainer | undefined;
  let served: ServedParts | undefined;
  const running = new Map<number, { readonly name: string; readonly controller: AbortController }>();
  const waited = new Set<number>();
  const asked = new Map<number, (failed: boolean) => void>();
  const uploads = new Map<number, Uploaded>();
  let asks = 0;

  const send = (message: Answer, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer as ArrayBuffer[]);

  /** Tells the page; gives a promise where that is to be waited for. */
  function tell(id: number, event: string, value: unknown, wait: boolean): Promise<void> | undefined {
    if (!wait) {
      send({ id, event, value, ask: undefined });
      return undefined;
    }
    const ask = ++asks;
    return new Promise((resolve, reject) => {
      asked.set(ask, (failed) => (failed ? reject(new GradusError(`${event}: failed on the page.`)) : resolve()));
      send({ id, event, value, ask });
    });
  }

  /** Listeners of the module and of the page as one. */
  function listening({ id, listeners }: Call, options: Options, own: Listeners): Record<string, Method> {
    const lockstep = options.lockstep === true;
    const names = new Set([...listeners, ...Object.keys(own)]);
    const joined = [...names].map((name) => {
      const here = (own as Record<string, Method | undefined>)[name];
      const there = (value: unknown): unknown => {
        if (!listeners.includes(name)) return undefined;
        const wait =
          waited.has(id) || name === "onEpoch" || (lockstep && name !== "onProgress" && name !== "onWarning");
        return tell(id, name, sendable(value), wait);
      };
      const both: Method = (value) => {
        const heard = here?.(value);
        return isPromise(heard) ? Promise.resolve(heard).then(() => there(value)) : there(value);
      };
      return [name, both] as const;
    });
    return Object.fromEntries(joined);
  }

  async function dataOf(place: string, data: unknown): Promise<unknown> {
    const upload = (Object(data) as { readonly [UPLOADED]?: number })[UPLOADED];
    if (upload !== undefined) return uploads.get(upload);
    if (typeof data !== "string") return data;
    const offered = served?.data ?? {};
    if (!Object.hasOwn(offered, data)) {
      const names = Object.keys(offered).join(", ") || "none";
      throw new OptionError(
        `${place}: the worker's module has no data "${data}". It has ${names}: serve({ model, data }).`,
      );
    }
    const found = offered[data] as Data | (() => Data | Promise<Data>);
    return typeof found === "function" ? found() : found;
  }

  async function open({ given: [settings], ...call }: Call): Promise<unknown> {
    const { given, ...plain } = settings as Options;
    served = await (typeof parts === "function" ? parts(given) : parts);
    const { model, data: _, callbacks: __, ...own } = served;
    const twice = Object.keys(plain).find((key) => plain[key] !== undefined && Object.hasOwn(own, key));
    if (twice !== undefined) {
      throw new OptionError(
        `compileInWorker: ${twice} is given by the page's settings and by the worker's module. Leave it out of one of them.`,
      );
    }
    const options = { ...plain, ...own, ...listening({ ...call, given: [] }, plain, {}) };
    trainer = await make(model, options as unknown as Parameters<typeof compile>[1]);
    const { adapter, software, network } = trainer;
    const { inputShape, outputShape, parameterCount } = network;
    return { adapter, software, inputShape, outputShape, parameterCount };
  }

  async function perform(call: Call): Promise<unknown> {
    const { id, call: name, given } = call;
    if (name === "compile") return open(call);
    if (trainer === undefined) throw new GradusError(`${name}: there is no trainer yet.`);
    const owner: object = name.startsWith("rates.") ? trainer.rates : trainer;
    const method = name.replace("rates.", "");
    if (name === "free") return uploads.get(given[0] as number)?.dispose();
    const words = [...given];
    const signal = running.get(id)?.controller.signal;
    if (withData.includes(name) && (typeof words[0] === "string" || UPLOADED in Object(words[0])))
      words[0] = await dataOf(name, words[0]);
    if (name === "fit" || name === "fineTune" || name === "findRate") {
      const { validation, ...options } = (words[1] ?? {}) as Options;
      const looked = validation === undefined ? {} : { validation: await dataOf(name, validation) };
      const own = name === "findRate" ? {} : (served?.callbacks?.(trainer) ?? {});
      words[1] = {
        ...{ ...options, ...looked, ...listening(call, options, own) },
        ...(name !== "findRate" && { signal }),
      };
    }
    if (name === "upload") words[1] = { ...(words[1] as Options), ...listening(call, {}, {}), signal };
    const result = await (owner as Record<string, Method>)[method]?.(...words);
    if (name !== "upload") return result;
    uploads.set(id, result as Uploaded);
    return { [UPLOADED]: id, count: (result as Uploaded).count };
  }

  async function handle(call: Call): Promise<void> {
    const { id } = call;
    const controller = new AbortController();
    if (call.aborted) controller.abort();
    running.set(id, { name: call.call, controller });
    let message: Answer;
    let transfer: readonly ArrayBuffer[] = [];
    try {
      if (![...calls, "compile", "free"].includes(call.call))
        throw new GradusError(`${call.call}: a trainer in a worker has no such method.`);
      const found = packed(call.call, "its result", await perform(call));
      transfer = found.transfer;
      message = { id, result: found.value, steps: trainer?.steps ?? 0 };
    } catch (error) {
      message = { id, fault: faultOf(error), steps: trainer?.steps ?? 0 };
    }
    running.delete(id);
    waited.delete(id);
    send(message, transfer);
  }

  port.onmessage = ({ data }: { readonly data: Request }) => {
    if ("call" in data) void handle(data);
    else if ("wait" in data) waited.add(data.wait);
    else if ("heard" in data) {
      asked.get(data.heard)?.(data.failed);
      asked.delete(data.heard);
    } else {
      for (const [id, { name, controller }] of running) {
        if (data.stop === id || (data.stop === undefined && name !== "upload")) controller.abort();
      }
      trainer?.stop();
    }
  };
}

/** What a listener hears, without its functions: a step's rates are asked for here. */
function sendable(value: unknown): unknown {
  const rates: unknown = Object(value).rates;
  return typeof rates === "function" ? { ...(value as object), rates: rates() } : value;
}
