// The bundle of tests in the page of a browser: it answers the command that opened it.

import { nameOf } from "../../src/gpu/adapter.ts";
import { answersOf, type Hearer } from "./suite.ts";

declare global {
  /** What test/runtime/browser.ts calls here, and what this page tells it. */
  var answers: Readonly<Record<string, (...values: never[]) => unknown>>;
  var tell: (name: string, ...values: readonly unknown[]) => Promise<void>;
}

const hearer: Hearer = {
  began: (file, test) => void globalThis.tell("began", file, test),
  ended: (result) => void globalThis.tell("ended", result),
};

globalThis.answers = {
  ...answersOf(hearer),
  async adapterHere() {
    const adapter = await navigator.gpu?.requestAdapter();
    return { adapter: adapter ? nameOf(adapter.info) : null };
  },
};
