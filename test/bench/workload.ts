// The two reference workloads as plain data: shapes, starting weights, batches. Every engine that takes part in a
// benchmark, and the PyTorch script in test/golden, starts from these exact f32 numbers, so that losses can be compared
// before anyone compares times. Layouts are those of Gradus: images NHWC, dense [in, out], filters [kh, kw, in, out].

export interface WorkloadTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Half width of the uniform distribution that the starting values are drawn from. */
  readonly spread: number;
}

export interface Workload {
  readonly name: "mlp" | "cnn";
  readonly batch: number;
  /** Shape of one sample, without the batch. */
  readonly input: readonly number[];
  readonly classes: number;
  /** In forward order: a weight and a bias for each of the three layers. */
  readonly tensors: readonly WorkloadTensor[];
}

/** Batches repeat after this many steps. */
export const BATCHES = 4;

const glorot = (fanIn: number, fanOut: number): number => Math.sqrt(6 / (fanIn + fanOut));

function layer(name: string, shape: readonly number[]): WorkloadTensor[] {
  const out = shape[shape.length - 1] as number;
  const window = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const inputs = shape[shape.length - 2] as number;
  return [
    { name: `${name}.weight`, shape, spread: glorot(window * inputs, window * out) },
    { name: `${name}.bias`, shape: [out], spread: 0.1 },
  ];
}

export const workloads: Readonly<Record<"mlp" | "cnn", Workload>> = {
  /** 784-256-128-10, relu between. */
  mlp: {
    name: "mlp",
    batch: 64,
    input: [784],
    classes: 10,
    tensors: [...layer("fc1", [784, 256]), ...layer("fc2", [256, 128]), ...layer("fc3", [128, 10])],
  },
  /** conv 8 3x3 same, relu, pool 2, conv 16 3x3 same, relu, pool 2, flatten (NHWC order), dense 10. */
  cnn: {
    name: "cnn",
    batch: 32,
    input: [28, 28, 1],
    classes: 10,
    tensors: [...layer("conv1", [3, 3, 1, 8]), ...layer("conv2", [3, 3, 8, 16]), ...layer("head", [784, 10])],
  },
};

/** The i-th 32-bit word of stream `seed`: one multiply-xorshift hash, the same in Python (test/golden). */
export function noise(seed: number, i: number): number {
  let x = (Math.imul(i, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Starting values of tensor `index`, f32, row-major: stream 1000 + index, uniform in (-spread, spread). */
export function startingWeights(workload: Workload, index: number): Float32Array {
  const tensor = workload.tensors[index];
  if (tensor === undefined) throw new RangeError(`workload ${workload.name} has no tensor ${index}`);
  return Float32Array.from(
    { length: size(tensor.shape) },
    (_, i) => ((noise(1000 + index, i) / 2 ** 32) * 2 - 1) * tensor.spread,
  );
}

/** Side of the square of noise in an otherwise black image, and how many images there are to one that has it. */
const PATCH = 8;
const LIT_EVERY = 8;

/**
 * Batch k: inputs in [0, 1) as f32 [batch, ...input] from stream 1 + 2k, labels from stream 2 + 2k. A flat sample is
 * noise all over. Images are black but for a square of noise in every eighth, placed by stream 60 + k: in noise all
 * over, some relu or pooling window would sit within f32 rounding of its switch, and no two correct engines would agree
 * for long. test/golden/trajectory.py checks that none does.
 */
export function batchOf(workload: Workload, step: number): { x: Float32Array; y: Uint32Array } {
  const k = step % BATCHES;
  const [height, width] = workload.input;
  const values = size(workload.input);
  const lit = (i: number): boolean => {
    if (height === undefined || width === undefined) return true;
    const image = Math.floor(i / values);
    if (image % LIT_EVERY !== 0) return false;
    const place = noise(60 + k, image);
    const row = (Math.floor(i / width) % height) - (place % (height - PATCH + 1));
    const column = (i % width) - ((place >>> 8) % (width - PATCH + 1));
    return row >= 0 && row < PATCH && column >= 0 && column < PATCH;
  };
  const x = Float32Array.from({ length: workload.batch * values }, (_, i) =>
    lit(i) ? noise(1 + 2 * k, i) / 2 ** 32 : 0,
  );
  const y = Uint32Array.from({ length: workload.batch }, (_, i) => noise(2 + 2 * k, i) % workload.classes);
  return { x, y };
}
