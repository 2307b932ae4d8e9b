// Numbers with their shape, as they are in a file and as a model has them.

/** Numbers with their shape. */
export interface Numbers {
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** Numbers of the file by the name that they have there. */
export interface FileTensor {
  readonly name: string;
  /** The layer of the outermost model that they belong to, where the file says so. */
  readonly group?: string;
  readonly shape: readonly number[];
  numbers(): Float32Array<ArrayBuffer>;
}
