// Runs in a process of Node: writes to the file that it is told of until somebody ends it.

import { file } from "../../src/callbacks/index.ts";
import { numberOf, writeOn } from "./numbered.ts";

const store = file(process.argv[2] as string);
const begun = numberOf(await store.read());
console.log(begun);
await writeOn(store, (begun || 0) + 1, (number) => console.log(number));
