// The bundle of tests in the page of a browser: it answers the command that opened it.

import { nameOf } from "../../src/gpu/adapter.ts";
import { answersOf, type Hearer } from "./suite.ts";

declare global {
  /** What test/runtime/browser.ts calls here, and what this page tells it. */
  var answers: Readonly<Record<string, (...values: never[]) => unknown>>;
  var tell: (name: string, ...values: readonly unknown[]) => Promise<void>;
}

/** What is on its way to the command, which may not hear that a file has ended before it heard of its last test. */
const told: Promise<void>[] = [];
const hearer: Hearer = {
  began: (file, test) => void told.push(globalThis.tell("began", file, test)),
  ended: (result) => void told.push(globalThis.tell("ended", result)),
};
const here = answersOf(hearer);

globalThis.answers = {
  ...here,
  async runFile(file: string, timeout: number) {
    await here.runFile(file, timeout);
    await Promise.all(told.splice(0));
  },
  async adapterHere() {
    const adapter = await navigator.gpu?.requestAdapter();
    return { adapter: adapter ? nameOf(adapter.info) : null };
  },
};
