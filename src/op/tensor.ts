// A value of the graph: shape, type of its numbers, and where it lives.

/** Type of the numbers of a tensor on the GPU. */
export type DType = "f32" | "u32";
/** How numbers lie in an arena: weights that never train may be f16, two in a word, and are f32 to whatever reads them. */
export type Stored = DType | "f16";

/**
 * Where a tensor lives. `parameter` and `gradient`: arenas that last as long as the trainer, at equal offsets. `base`: weights
 * that never train, which have neither gradient nor moments. `state` and `next`, what a state is to become: as the first two.
 * `activation`: anything that is only needed within a step. `data`: buffers of the data set.
 * `metrics`: the small buffer that is read back.
 */
export type Role = "parameter" | "gradient" | "base" | "state" | "next" | "activation" | "data" | "metrics";

/** A tensor of a graph: what is known of it before it has a place. */
export interface Tensor {
  /** Its number in the graph. */
  readonly id: number;
  /** Also the GPU label, the checkpoint key and the word in error texts. */
  readonly name: string;
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Type of its numbers. */
  readonly dtype: DType;
  /** Where it lives. */
  readonly role: Role;
  /** Of whole numbers that come from data: they are below this. */
  readonly classes?: number | undefined;
  /** Id of the tensor whose bytes this one is another view of. */
  readonly view?: number;
  /** For a gradient: id of its parameter; for what a state is to become: id of the state. */
  readonly of?: number;
  /** How its numbers lie in a step of mixed precision. Default: as `dtype` says. */
  readonly form?: Form;
}

/** How numbers of f32 lie where a step is of mixed precision. */
export interface Form {
  /** As f16, which kernels read as f32. */
  readonly half: boolean;
  /** Times the scale of the loss: where gradients begin. */
  readonly scaled: boolean;
}

/** Tensors by the names that an op has for them. */
export type Tensors<Name extends string = string> = { readonly [Key in Name]: Tensor };

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const widths = { f32: 4, u32: 4, f16: 2 } as const;

/** Bytes of a number. */
export const bytesOf = (dtype: Stored): number => widths[dtype];

/** Bytes of all numbers of a tensor. */
export const byteSize = ({ shape, dtype, form }: Pick<Tensor, "shape" | "dtype" | "form">): number =>
  size(shape) * bytesOf(form?.half ? "f16" : dtype);

/** "[64x784]": for people. */
export const dims = (tensor: Tensor): string => `[${tensor.shape.join("x")}]`;
