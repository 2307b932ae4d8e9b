// Data of which a part may have to be asked for a second time, and samples that are kept for it.

import { type Data, OptionError, type Samples } from "../index.ts";

/** Whether batches come once only: those of a generator or a ReadableStream that was made before the fit. */
export const comesOnce = (data: unknown): boolean =>
  typeof Object(data).next === "function" || typeof Object(data).getReader === "function";

/** Refuses what a fit could not go on with after a loss. */
export function demandAgain(place: string, data: Data | undefined): void {
  if (!comesOnce(data)) return;
  throw new OptionError(
    `${place}: its batches come once only, so that nothing could go on with them after a loss. Give what can be asked again: { [Symbol.asyncIterator]: () => batches() }.`,
  );
}

/** A copy of what a user may change before it is needed again. */
export function kept<T extends Samples | object>(place: string, value: T): T {
  try {
    return structuredClone(value);
  } catch (cause) {
    throw new OptionError(
      `${place}: a copy of it cannot be kept for a recovery. Give plain numbers and typed arrays.`,
      {
        cause,
      },
    );
  }
}
