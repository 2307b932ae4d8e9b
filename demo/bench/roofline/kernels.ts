// The kernels that measure an adapter: chains of fused multiply-adds in registers, and one that does nothing.

/** Multiply-adds of one thread: `chains` of vec4 beside each other, so that none waits for the one before it, `length` long. */
export interface MultiplyAdd {
  readonly type: "f32" | "f16";
  readonly chains: number;
  readonly threads: 64 | 256;
}

/** Steps of a chain: a whole number of unrolled stretches. */
const UNROLLED = 16;

export const multiplyAdds: readonly MultiplyAdd[] = (["f32", "f16"] as const).flatMap((type) => [
  { type, chains: 4, threads: 64 },
  { type, chains: 8, threads: 64 },
  { type, chains: 16, threads: 64 },
  { type, chains: 8, threads: 256 },
]);

/** What a workgroup of it computes when its loop runs `rounds` times. */
export const operationsOf = ({ chains, threads }: MultiplyAdd, rounds: number): number =>
  threads * chains * 4 * 2 * UNROLLED * rounds;

/**
 * The sums go out under a condition that no compiler sees through, so that none is left out and hardly anything is stored. No two
 * components are alike, since a compiler would compute them once.
 */
export function multiplyAddSource({ type, chains, threads }: MultiplyAdd): string {
  const each = (line: (i: number) => string): string =>
    Array.from({ length: chains }, (_, i) => line(i)).join("\n    ");
  const step = each((i) => `s${i} = fma(s${i}, m, a);`);
  return `${type === "f16" ? "enable f16;" : ""}
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
override ROUNDS: u32;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let own = vec4<${type}>(vec4u(0, 1, 2, 3) + id.x);
    let m = own * ${type}(y[0]);
    let a = own + ${type}(y[1]);
    ${each((i) => `var s${i} = own + ${4 * i};`)}
  for (var i = 0u; i < ROUNDS; i++) {
    ${Array.from({ length: UNROLLED }, () => step).join("\n    ")}
  }
  let sum = ${Array.from({ length: chains }, (_, i) => `s${i}`).join(" + ")};
  if (f32(sum.x + sum.y + sum.z + sum.w) == y[2]) { y[3] = 1; }
}`;
}

export const emptySource = `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() { if (y[0] == 12345) { y[3] = 1; } }`;
