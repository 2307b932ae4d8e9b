// The standard normal distribution in f64, to about 1e-15 of its value.

const DENSITY_AT_0 = 1 / Math.sqrt(2 * Math.PI);

/** The density at x. */
export const normalPdf = (x: number): number => DENSITY_AT_0 * Math.exp(-0.5 * x * x);

/** The probability of a value below x: (1 + erf(x / sqrt 2)) / 2. */
export function normalCdf(x: number): number {
  const z = Math.abs(x);
  if (z < 3) return 0.5 + Math.sign(x) * nearTail(z);
  return x < 0 ? farTail(z) : 1 - farTail(z);
}

/** From 0 to z: density(z) (z + z^3 / 3 + z^5 / (3 5) + ...), where all terms have one sign. */
function nearTail(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return normalPdf(z) * sum;
}

/** From z to infinity: density(z) / (z + 1 / (z + 2 / (z + 3 / ...))) (Laplace), which is quick from 3 on. */
function farTail(z: number): number {
  let fraction = z;
  for (let k = 120; k > 0; k--) fraction = z + k / fraction;
  return normalPdf(z) / fraction;
}
