// The networks that tell digits apart, by name.

import type { Layer } from "../../src/index.ts";
import { digitNetwork } from "../network.ts";
import { lenet } from "./lenet.ts";
import { mobilenet } from "./mobilenet.ts";
import type { Classifier } from "./names.ts";
import { resnet8 } from "./resnet8.ts";
import { vitTiny } from "./vit-tiny.ts";

/** Each from [28, 28, 1] to ten logits. */
export const classifiers: Readonly<Record<Classifier, () => Layer>> = {
  cnn: digitNetwork,
  lenet: () => lenet(),
  resnet8: () => resnet8(),
  mobilenet: () => mobilenet(),
  "vit-tiny": () => vitTiny(),
};
