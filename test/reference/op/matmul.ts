// C[m, n] = sum over k of A[m, k] B[k, n], in the order of k, with either operand perhaps stored transposed, for each of the
// matrices under the leading axes. A second output, if there is one, is the sum over k of B[k, n]. With splits the sums stay in parts.

import type { Tensor } from "../../../src/op/tensor.ts";
import { addScaled, termsOfPart } from "../product.ts";
import type { Twin } from "../twin.ts";

export const matmul: Twin = ([a, b], { inputs, outputs, attributes }, _step, round) => {
  const { transposeA, transposeB, splits = 1 } = attributes;
  const [first, second] = (inputs as [Tensor, Tensor]).map(({ shape }) => shape.slice(-2)) as [number[], number[]];
  const [M, K] = (transposeA === true ? first.toReversed() : first) as [number, number];
  const N = second[transposeB === true ? 0 : 1] as number;
  const products = a!.length / (M * K);
  const parts = splits as number;
  const terms = termsOfPart(K, parts);

  const c = new Float64Array(parts * products * M * N);
  const sum = new Float64Array(parts * N);
  for (let product = 0; product < products; product++) {
    const stored = [
      a!.subarray(product * M * K, (product + 1) * M * K),
      b!.subarray(product * K * N, (product + 1) * K * N),
    ];
    const left = transposeA === true ? transposed(stored[0]!, first) : stored[0]!;
    const right = transposeB === true ? transposed(stored[1]!, second) : stored[1]!;
    for (let part = 0; part < parts; part++) {
      const end = Math.min(K, (part + 1) * terms);
      for (let m = 0; m < M; m++) {
        const at = ((part * products + product) * M + m) * N;
        for (let k = part * terms; k < end; k++) addScaled(c, at, right, k * N, N, left[m * K + k]!, round);
      }
      for (let k = part * terms; k < end; k++) addScaled(sum, part * N, right, k * N, N, 1, round);
    }
  }
  return outputs.length === 1 ? [c] : [c, sum];
};

function transposed(values: Float64Array, [rows, columns]: readonly number[]): Float64Array {
  const turned = new Float64Array(values.length);
  for (let i = 0; i < rows!; i++) {
    for (let j = 0; j < columns!; j++) turned[j * rows! + i] = values[i * columns! + j]!;
  }
  return turned;
}
