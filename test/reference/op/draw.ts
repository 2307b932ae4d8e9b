// Random numbers of a batch, by the generator of the host.

import { size } from "../../../src/op/tensor.ts";
import { normal, uniform } from "../../../src/random.ts";
import { drawn } from "../draw.ts";
import type { Twin } from "../twin.ts";

export const draw: Twin = (_, { outputs, attributes }, { draw: batch = 0 }) => {
  const one = attributes.kind === "normal" ? normal : uniform;
  return [Float64Array.from({ length: size(outputs[0]!.shape) }, (_unused, i) => one(drawn(batch), i))];
};
