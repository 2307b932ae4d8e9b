// The numbers that every kernel with a sliding window takes as `override` constants.

import type { Window } from "../graph/window.ts";

/** By the names of shaders/parts/window.wgsl: outHeight is OUT_HEIGHT. */
export const windowConstants = (window: Window): Record<string, number> =>
  Object.fromEntries(
    Object.entries(window).map(([name, value]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), value]),
  );

export const windowNote = (window: Window): string =>
  `${window.kernelHeight}x${window.kernelWidth}` +
  (window.strideHeight * window.strideWidth === 1 ? "" : ` stride ${window.strideHeight}x${window.strideWidth}`);
