// Runs in a page: writes to the origin's own files, or to IndexedDB, until somebody ends the browser.

import { indexedDb, opfs } from "../../src/callbacks/index.ts";
import { numberOf, writeOn } from "./numbered.ts";

declare global {
  /** What kill.ts calls here: the number that is there, and how far it got. */
  var beginWriting: (place: "opfs" | "indexedDb") => Promise<number>;
  var written: number;
}

globalThis.beginWriting = async (place) => {
  const store = place === "opfs" ? opfs("folder/run.safetensors") : indexedDb("run");
  globalThis.written = numberOf(await store.read());
  writeOn(store, (globalThis.written || 0) + 1, (number) => {
    globalThis.written = number;
    console.log(number);
  }).catch((error) => console.log(String(error)));
  return globalThis.written;
};
