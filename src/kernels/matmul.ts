// Matrix product of matrices that are stored as they are or transposed.

import source from "../../shaders/product/matmul.wgsl?raw";
import type { Tensor } from "../graph/graph.ts";
import { dims } from "./kernel.ts";
import { productKernel } from "./product.ts";

export const matmul = productKernel("matmul", source, ({ inputs, attributes }) => {
  const [a, b] = inputs as [Tensor, Tensor];
  const transposeA = attributes.transposeA === true;
  const transposeB = attributes.transposeB === true;
  const [M, K] = (transposeA ? a.shape.toReversed() : a.shape) as [number, number];
  return {
    ...{ M, N: b.shape[transposeB ? 0 : 1] as number, K, transposeA, transposeB },
    rows: [a.shape[1] as number, b.shape[1] as number],
    constants: {},
    note: `${dims(a)}${transposeA ? "^T" : ""} x ${dims(b)}${transposeB ? "^T" : ""}`,
  };
});
