// A process that reads wrong files: its words are the number of the first and how many. It tells of each before and behind it, so that
// whoever started it knows which one it was that hung or crashed.

import { readerOf, readInput } from "./input.ts";

const [from = 0, count = 0] = process.argv.slice(2).map(Number);
for (let number = from; number < from + count; number++) {
  process.send?.({ begun: { number, reader: readerOf(number).name } });
  process.send?.(await readInput(number));
}
process.disconnect?.();
