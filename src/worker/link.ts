// The page's end of the port: calls that wait for their answers, events that listeners hear in order, and one end for all of
// them when the worker is gone.

import { packed } from "./crossing.ts";
import { errorOf } from "./fault.ts";
import { type Answer, isPromise, listenerNames, type Port, type Request } from "./messages.ts";

type Listener = (value: unknown) => unknown;

interface Waiting {
  readonly listeners: Readonly<Record<string, Listener>>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What a listener threw: the call's outcome. */
  failure?: { readonly error: unknown };
  /** Until a listener's promise has settled, all that comes after it waits. */
  tail?: Promise<void> | undefined;
}

export type Link = ReturnType<typeof createLink>;

/** `locked`: told when the worker holds its lock. */
export function createLink(port: Port, locked: () => void) {
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let steps = 0;
  let end: unknown;

  const send = (message: Request, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer as ArrayBuffer[]);

  function hear(id: number, call: Waiting, event: string, value: unknown, ask: number | undefined): unknown {
    const failed = (error: unknown): void => {
      call.failure ??= { error };
      if (ask === undefined) send({ stop: id });
    };
    const answer = (): void => {
      if (ask !== undefined) send({ heard: ask, failed: call.failure !== undefined });
    };
    if (call.failure !== undefined) return answer();
    try {
      const heard = call.listeners[event]?.(withRates(value));
      if (isPromise(heard)) {
        if (ask === undefined) send({ wait: id });
        return Promise.resolve(heard)
          .then(() => undefined, failed)
          .then(answer);
      }
    } catch (error) {
      failed(error);
    }
    return answer();
  }

  function take(message: Exclude<Answer, { readonly locked: true }>): unknown {
    const { id } = message;
    const call = waiting.get(id);
    if (call === undefined) return undefined;
    if ("event" in message) {
      if (message.event === "onStep") steps = Math.max(steps, Number(Object(message.value).step) || 0);
      return hear(id, call, message.event, message.value, message.ask);
    }
    steps = message.steps;
    waiting.delete(id);
    if (call.failure !== undefined) call.reject(call.failure.error);
    else if ("fault" in message) call.reject(errorOf(message.fault));
    else call.resolve(message.result);
    return undefined;
  }

  port.onmessage = ({ data }: { readonly data: Answer }) => {
    if ("locked" in data) return locked();
    const call = waiting.get(data.id);
    if (call === undefined) return;
    const done = call.tail === undefined ? take(data) : call.tail.then(() => take(data));
    if (!isPromise(done)) return;
    const tail: Promise<void> = Promise.resolve(done).then(() => {
      if (call.tail === tail) call.tail = undefined;
    });
    call.tail = tail;
  };

  return {
    steps: (): number => steps,

    /** Calls a method; functions of its last argument listen, and `move` and `signal` of it are the page's. */
    call(name: string, given: readonly unknown[]): Promise<unknown> {
      if (end !== undefined) return Promise.reject(end);
      const id = ++calls;
      const last: unknown = given.at(-1);
      const options = isOptions(last) ? last : {};
      const { move = false, signal, ...rest } = options;
      const listeners: Record<string, Listener> = {};
      for (const key of listenerNames) {
        if (typeof rest[key] !== "function") continue;
        listeners[key] = rest[key] as Listener;
        delete rest[key];
      }
      const words = isOptions(last) ? [...given.slice(0, -1), rest] : given;
      const aborts = signal as AbortSignal | undefined;
      const stop = (): void => send({ stop: id });
      return new Promise<unknown>((resolve, reject) => {
        const parts = words.map((word, i) => packed(name, nameOf(name, i), word, move === true));
        waiting.set(id, { listeners, resolve, reject });
        const request = {
          ...{ id, call: name, given: parts.map(({ value }) => value) },
          ...{ listeners: Object.keys(listeners), aborted: aborts?.aborted === true },
        };
        send(request, [...new Set(parts.flatMap(({ transfer }) => transfer))]);
        aborts?.addEventListener("abort", stop);
      }).finally(() => aborts?.removeEventListener("abort", stop));
    },

    stop: (): void => send({ stop: undefined }),

    /** All that waits, and all that will be asked, is refused with this error. */
    end(error: unknown): void {
      end ??= error;
      for (const call of waiting.values()) call.reject(end);
      waiting.clear();
      port.close();
    },
  };
}

const isOptions = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

const nameOf = (call: string, i: number): string =>
  call === "compile" ? "settings" : i === 0 ? "its first argument" : "its options";

/** A step with its rates as a page's trainer gives them. */
function withRates(value: unknown): unknown {
  const { rates } = Object(value) as { readonly rates?: unknown };
  return rates === undefined ? value : { ...(value as object), rates: () => rates };
}
