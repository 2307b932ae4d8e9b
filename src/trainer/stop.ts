// The wish to end a fit early: by `stop()`, by a signal, or because the trainer is disposed of.

export interface Stop {
  readonly wanted: () => boolean;
  /** Resolves once it is wanted. */
  readonly promise: Promise<void>;
  now(): void;
  /** Listens to the signal no more. */
  release(): void;
}

export function createStop(signal: AbortSignal | undefined): Stop {
  let wanted = signal?.aborted === true;
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const now = (): void => {
    wanted = true;
    resolve();
  };
  if (wanted) resolve();
  signal?.addEventListener("abort", now);
  return { wanted: () => wanted, promise, now, release: () => signal?.removeEventListener("abort", now) };
}
