// Ridge regression onto classes in f64, by the normal equations and Cholesky: how well frozen features tell classes apart.
// Means of features and of targets are taken away first, so that the intercept is not made smaller.

/** Rows of as many numbers each, and the class of each row. */
export interface Labelled {
  readonly x: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

/** What a fit says of rows: a score for each class, row by row. */
export type Scores = (x: ArrayLike<number>) => Float64Array;

/** Solves A w = b for each column b of `right`, in place, for a symmetric positive definite A of n x n, of which the lower half is read. */
export function solve(a: Float64Array, right: Float64Array, n: number): Float64Array {
  const l = a.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = l[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i === j && !(sum > 0)) throw new Error(`solve: row ${j} of ${n} has the pivot ${sum}; it must be above 0.`);
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
    }
  }
  const columns = right.length / n;
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) right[i * columns + c]! -= l[i * n + k]! * right[k * columns + c]!;
      right[i * columns + c]! /= l[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) right[i * columns + c]! -= l[k * n + i]! * right[k * columns + c]!;
      right[i * columns + c]! /= l[i * n + i]!;
    }
  }
  return right;
}

/** A fit for each strength, which is added to the sums of squares of the features: |y - Xw|^2 + strength |w|^2, y being 1 or 0. */
export function ridge({ x, labels }: Labelled, classes: number, strengths: readonly number[]): readonly Scores[] {
  const [rows, n] = [labels.length, x.length / labels.length];
  const means = Float64Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += x[i * n + j]!;
    return sum / rows;
  });
  const shares = new Float64Array(classes);
  for (let i = 0; i < rows; i++) shares[labels[i]!]! += 1 / rows;
  const [gram, product, row] = [new Float64Array(n * n), new Float64Array(n * classes), new Float64Array(n)];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < n; j++) row[j] = x[i * n + j]! - means[j]!;
    for (let j = 0; j < n; j++) {
      for (let k = 0; k <= j; k++) gram[j * n + k]! += row[j]! * row[k]!;
      for (let c = 0; c < classes; c++) product[j * classes + c]! += row[j]! * (Number(labels[i] === c) - shares[c]!);
    }
  }
  return strengths.map((strength) => {
    const w = solve(
      gram.map((value, at) => (at % (n + 1) === 0 ? value + strength : value)),
      product.slice(),
      n,
    );
    return (given) =>
      Float64Array.from({ length: (given.length / n) * classes }, (_, at) => {
        const [i, c] = [Math.floor(at / classes), at % classes];
        let sum = shares[c]!;
        for (let j = 0; j < n; j++) sum += (given[i * n + j]! - means[j]!) * w[j * classes + c]!;
        return sum;
      });
  });
}

/** The part of rows whose own class has the highest score. */
export function accuracyOf(scores: Scores, { x, labels }: Labelled): number {
  const made = scores(x);
  const classes = made.length / labels.length;
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const own = made.subarray(i * classes, (i + 1) * classes);
    hits += Number(own.indexOf(Math.max(...own)) === labels[i]);
  }
  return hits / labels.length;
}
