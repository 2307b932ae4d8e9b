// The product of matrices that are stored as they are or transposed.

import source from "../../shaders/product/matmul.wgsl?raw";
import { defineOp } from "./op.ts";
import { productKernel } from "./product.ts";
import { given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { dims, size, type Tensor } from "./tensor.ts";

type Form = {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly splits?: number;
};

const kernel = productKernel("matmul", source, ({ tensors: { a, b }, attributes }) => {
  const { transposeA = false, transposeB = false } = attributes as Form;
  const [M, K] = (transposeA ? a.shape.toReversed() : a.shape) as [number, number];
  return {
    ...{ M, N: b.shape[transposeB ? 0 : 1] as number, K, transposeA, transposeB },
    rows: [a.shape[1] as number, b.shape[1] as number],
    constants: {},
    note: `${dims(a)}${transposeA ? "^T" : ""} x ${dims(b)}${transposeB ? "^T" : ""}`,
  };
});

/**
 * C = A B, where A is [M, K] or, transposed, [K, M], and B is [K, N] or, transposed, [N, K].
 * With `splits` > 1 the result is [splits, M, N]: partial sums over K that `sumPartials` adds up.
 */
export const matmul = defineOp({
  name: "matmul",
  inputs: ["a", "b"],
  outputs: ["c", "sum"],
  attributes: { transposeA: [false], transposeB: [false] },
  refuse({ a, b }, { transposeA, transposeB }: Form) {
    const fits = a.shape[transposeA === true ? 0 : 1] === b.shape[transposeB === true ? 1 : 0];
    return fits && a.shape.length === 2 && b.shape.length === 2
      ? undefined
      : `${given(a, b)} Give matrices, with as many columns in the first as rows in the second once they are transposed.`;
  },
  shape({ a, b }, { transposeA, transposeB, splits = 1 }) {
    const rows = a.shape[transposeA === true ? 1 : 0] as number;
    const columns = b.shape[transposeB === true ? 0 : 1] as number;
    return { c: { shape: splits === 1 ? [rows, columns] : [splits, rows, columns] } };
  },
  /** dA = dC B^T and dB = A^T dC; for an operand that is stored transposed, the transposed product. */
  back({ a, b, dc }, { attributes: { transposeA = false, transposeB = false }, give, emit }) {
    const product = (left: Tensor, right: Tensor, form: Form): Tensor => emit(matmul, { a: left, b: right }, form).c;
    give("a", () =>
      transposeA
        ? product(b, dc!, { transposeA: transposeB, transposeB: true })
        : product(dc!, b, { transposeB: !transposeB }),
    );
    give("b", () => {
      const splits = splitsFor(b.shape[0]!, b.shape[1]!, dc!.shape[0]!);
      const partial = transposeB
        ? product(dc!, a, { transposeA: true, transposeB: transposeA, splits })
        : product(a, dc!, { transposeA: !transposeA, splits });
      return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
    });
  },
  work: ({ a, b }, { transposeA }) => (size(a.shape) * size(b.shape)) / a.shape[transposeA === true ? 0 : 1]!,
  kernel,
  takesEpilogue: true,
  sumsColumns: ({ transposeA, transposeB }) => transposeA === true && transposeB !== true,
});
