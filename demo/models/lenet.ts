// LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", with relu and maxima.

import { conv2d, dense, flatten, type Layer, maxPool2d, relu, sequential } from "../../src/index.ts";

/** [28, 28, 1] -> logits. */
export const lenet = (classes = 10): Layer =>
  sequential({
    stem: [conv2d(6, { kernel: 5, padding: "same" }), relu(), maxPool2d(2)],
    body: [conv2d(16, { kernel: 5 }), relu(), maxPool2d(2), flatten(), dense(120), relu(), dense(84), relu()],
    head: dense(classes),
  });
