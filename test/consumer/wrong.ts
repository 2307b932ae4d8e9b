// What the types must refuse, each line once: a compiler that accepts one of them reports the comment above it.

import { adam, compile, conv2d, dense, meanSquaredError, sequential } from "gradus";

const model = sequential([dense(1)]);
const loss = meanSquaredError();

// @ts-expect-error the bare number of another library
adam(0.01);
// @ts-expect-error an option that does not exist
dense(8, { activation: "relu" });
// @ts-expect-error a padding that does not exist
conv2d(8, { padding: "full" });
// @ts-expect-error an option of another library
void compile(model, { input: [1], loss, batchSize: 32 });
// @ts-expect-error the loss is missing
void compile(model, { input: [1] });
// @ts-expect-error a record is no device
void compile(model, { input: [1], loss, device: { queue: {}, limits: {} } });
// @ts-expect-error what is null was not left out
void compile(model, { input: [1], loss, seed: null });
