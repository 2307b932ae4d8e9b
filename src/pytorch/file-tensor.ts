// A tensor of a file, whatever the file's form.

/** A tensor of a file. */
export interface FileTensor {
  /** Lengths of its axes, outermost first. */
  readonly shape: readonly number[];
  /** "F32", "BF16", "I64" and so on, as safetensors names them. */
  readonly dtype: string;
  /** As f32, row-major, made when it is first asked for. Throws CheckpointError where a number or a type does not become f32. */
  readonly data: Float32Array<ArrayBuffer>;
}
