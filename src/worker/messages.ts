// What page and worker say to one another. On the worker itself only how they meet; all else goes over a port of their own,
// so that messages of the page's own to its worker stay its own.

import type { Fault } from "./fault.ts";

/** A port as both sides see it, of whatever runtime. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => unknown) | null;
  close(): void;
}

/** Page to worker. */
export type Meeting =
  | { readonly gradus: "ping" }
  /** `lock`: held by the worker as long as it lives. */
  | { readonly gradus: "open"; readonly port: Port; readonly lock: string };

/** Worker to page. */
export interface Hello {
  readonly gradus: "hello";
}

/** Page to worker. A call names which functions of its last argument the page listens with. */
export type Request =
  | {
      readonly id: number;
      readonly call: string;
      readonly given: readonly unknown[];
      readonly listeners: readonly string[];
      /** Whether its signal was given before. */
      readonly aborted: boolean;
    }
  /** From now on each event of this call is waited for. */
  | { readonly wait: number }
  /** An event was heard. */
  | { readonly heard: number; readonly failed: boolean }
  /** One fit, or all, are to end after the steps under way. */
  | { readonly stop: number | undefined };

/** Worker to page. `steps`: updates made so far. */
export type Answer =
  | { readonly id: number; readonly result: unknown; readonly steps: number }
  | { readonly id: number; readonly fault: Fault; readonly steps: number }
  | { readonly id: number; readonly event: string; readonly value: unknown; readonly ask: number | undefined }
  | { readonly locked: true };

/** Functions that a page may listen with. */
export const listenerNames: readonly string[] = ["onStep", "onStats", "onEpoch", "onProgress", "onWarning"];

export const isPromise = (value: unknown): value is PromiseLike<unknown> => typeof Object(value).then === "function";
