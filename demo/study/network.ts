// The network of the study: five layers with weights, small enough for hundreds of trainings on a processor.

import { conv2d, dense, flatten, type Layer, maxPool2d, relu, sequential } from "../../src/index.ts";

/** From [14, 14, 1] to logits. */
export function studyNetwork(classes: number): Layer {
  return sequential({
    conv1: [conv2d(8, { kernel: 3, padding: "same" }), relu(), maxPool2d(2)],
    conv2: [conv2d(16, { kernel: 3 }), relu()],
    conv3: [conv2d(16, { kernel: 3 }), relu(), flatten()],
    hidden: [dense(32), relu()],
    head: dense(classes),
  });
}
