// What tests tell of the op that they try, for the table of `npm run ops`.

/** Of one op, by one test; what a test does not look at is left out. */
export interface Told {
  readonly op: string;
  /** Of its kernel, or "a view" where it has none. */
  readonly kernel?: string;
  /** Whether there is a way back. */
  readonly back?: boolean;
  /** Shapes of inputs that its shape rule was asked for. */
  readonly shapes?: number;
  /** Where its kernel ran. */
  readonly adapter?: string;
  /** Texts of its kernel that the adapter compiled. */
  readonly texts?: readonly string[];
  /** Largest error on the GPU against the twin in f64, relative to the largest number. */
  readonly error?: number;
  /** The same as a part of what is allowed. */
  readonly share?: number;
  /** Largest error of its gradient against finite differences, relative to the largest number. */
  readonly gradient?: number;
}

declare module "vitest" {
  interface TaskMeta {
    told?: Told;
  }
}
