// The kernel table: every kernel that a node of the graph can ask for, by name.

import { bug } from "../errors.ts";
import { conv2d, conv2dBackwardFilter, conv2dBackwardInput } from "./conv2d.ts";
import { columnSum, elementwise, sumPartials } from "./elementwise.ts";
import { gather } from "./gather.ts";
import type { Kernel } from "./kernel.ts";
import { meanSquaredError, metrics, softmaxCrossEntropy } from "./loss.ts";
import { matmul } from "./matmul.ts";
import { maxPool2d, maxPool2dBackward } from "./max-pool2d.ts";

export const kernelTable: ReadonlyMap<string, Kernel> = new Map(
  [
    gather,
    matmul,
    conv2d,
    conv2dBackwardInput,
    conv2dBackwardFilter,
    maxPool2d,
    maxPool2dBackward,
    elementwise,
    columnSum,
    sumPartials,
    softmaxCrossEntropy,
    meanSquaredError,
    metrics,
  ].map((kernel) => [kernel.name, kernel]),
);

export function kernelOf(name: string): Kernel {
  return kernelTable.get(name) ?? bug(`there is no kernel "${name}"`);
}
