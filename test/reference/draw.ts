// The one stream that draws have in tests.

import { type Stream, stream } from "../../src/random.ts";

/** Of seed 0. */
export const drawn = (batch: number): Stream => stream(0, "a draw", batch);
