// The methods of a trainer that may be called from the page. Both sides read this list.

/** Of an upload on its way: the number under which the worker keeps it. */
export const UPLOADED = "gradus uploaded";

export const rateCalls = ["set", "freeze", "unfreeze", "assign", "scale", "table", "edits", "replay"] as const;

export const trainerCalls = [
  ...["fit", "fineTune", "findRate", "step", "evaluate", "predict", "upload", "weights", "setWeights", "transfer"],
  ...["averages", "state", "setState", "gradients", "applyGradients", "save", "load", "memory", "dispose"],
] as const;

export const calls: readonly string[] = [...trainerCalls, ...rateCalls.map((name) => `rates.${name}`)];
