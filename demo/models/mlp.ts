// Two hidden layers on flat images.

import { dense, type Layer, relu, sequential } from "../../src/index.ts";

/** [784] -> logits. */
export const mlp = (classes = 10): Layer =>
  sequential({ body: [dense(256), relu(), dense(128), relu()], head: dense(classes) });
