// The networks of demo/models as programs: what comes out, dispatches of a step, and memory beside the lower bound.

import { describe, expect, test } from "vitest";
import { autoencoder, denoiser } from "../../demo/models/autoencoder.ts";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { charGru } from "../../demo/models/char-gru.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { lenet } from "../../demo/models/lenet.ts";
import { mlp } from "../../demo/models/mlp.ts";
import { mobilenet } from "../../demo/models/mobilenet.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import * as variational from "../../demo/models/vae.ts";
import { vitTiny } from "../../demo/models/vit-tiny.ts";
import { crossEntropy, meanSquaredError, type Objective } from "../../src/index.ts";
import { dispatchesOf } from "../../src/step/record.ts";
import { programOf } from "./program.ts";

interface Network {
  readonly model: Parameters<typeof programOf>[0];
  readonly inputs: Parameters<typeof programOf>[1] & object;
  /** Of one sample; by name where there are several. */
  readonly output: readonly number[] | Readonly<Record<string, readonly number[]>>;
  readonly loss?: Objective;
  /** Of a training step with Adam, the update included. */
  readonly dispatches: number;
}

const image = { input: [28, 28, 1] };
const text = { inputs: [{ name: "", shape: [32], classes: 65 }] };

const networks: Readonly<Record<string, Network>> = {
  mlp: { model: mlp(), inputs: { input: [784] }, output: [10], dispatches: 8 },
  lenet: { model: lenet(), inputs: image, output: [10], dispatches: 24 },
  // A GPU takes six sums of channels in parts, which a software adapter does not.
  resnet8: { model: resnet8(), inputs: image, output: [10], dispatches: 66 },
  mobilenet: { model: mobilenet(), inputs: image, output: [10], dispatches: 53 },
  autoencoder: { model: autoencoder(), inputs: image, output: [28, 28, 1], loss: meanSquaredError(), dispatches: 18 },
  denoiser: { model: denoiser(), inputs: image, output: [28, 28, 1], loss: meanSquaredError(), dispatches: 20 },
  vae: {
    model: variational.vae(),
    inputs: {
      inputs: [
        { name: "image", shape: [28, 28, 1] },
        { name: "noise", shape: [16] },
      ],
      targets: [{ name: "", shape: [28, 28, 1] }],
    },
    output: { image: [28, 28, 1], mean: [16], logVariance: [16] },
    loss: variational.loss,
    dispatches: 32,
  },
  "vit-tiny": { model: vitTiny(), inputs: image, output: [10], dispatches: 53 },
  "char-lstm": { model: charLstm(65), inputs: text, output: [32, 65], dispatches: 75 },
  "char-gru": { model: charGru(65), inputs: text, output: [32, 65], dispatches: 75 },
  "char-gpt": { model: charGpt({ vocabulary: 65, length: 32 }), inputs: text, output: [32, 65], dispatches: 79 },
};

describe.each(Object.entries(networks))("%s", (name, { model, inputs, output, loss = crossEntropy(), dispatches }) => {
  const program = programOf(model, { batch: 16, loss, ...inputs });

  test("gives what its loss takes", () => {
    const shapes = Object.entries(Array.isArray(output) ? { "": output } : output);
    expect(program.outputs).toEqual(shapes.map(([name, shape]) => ({ name, shape: [16, ...shape] })));
  });

  test("has as many dispatches as it had", () => {
    expect(dispatchesOf(program.recording)).toBe(dispatches);
  });

  test("needs little more memory than what is alive at once", () => {
    const { planned, lowerBound } = program.recording.memory;
    // Around the backward kernels of lenet's poolings four tensors must lie in arenas of their own.
    expect(planned).toBeLessThanOrEqual((name === "lenet" ? 1.2 : 1.1) * lowerBound);
  });
});
