// Every error that Gradus throws on purpose. Form of a message: where: what is wrong, with both numbers. What to do.
// The class says which kind it is, so that a program can react; the text is for the person.

/** The common ancestor: `error instanceof GradusError` tells a Gradus error from any other. */
export class GradusError extends Error {
  // Spelled out in each class: in a minified program the names of classes are gone.
  /** The class by its name, which a minifier leaves as it is: "ShapeError", say. */
  override readonly name: string = "GradusError";
}

/** A shape does not fit where it is used. Thrown while a model is built or data is handed over. */
export class ShapeError extends GradusError {
  /** Always "ShapeError". */
  override readonly name = "ShapeError";
}
/** An option has a value that it cannot have. Thrown before any work is done. */
export class OptionError extends GradusError {
  /** Always "OptionError". */
  override readonly name = "OptionError";
}
/** A name or pattern matches nothing; the message lists what there is. */
export class NameError extends GradusError {
  /** Always "NameError". */
  override readonly name = "NameError";
}
/** The data cannot be trained on: empty, a label out of range, a value that is not finite. */
export class DataError extends GradusError {
  /** Always "DataError". */
  override readonly name = "DataError";
}
/** A checkpoint is damaged, or belongs to another model. */
export class CheckpointError extends GradusError {
  /** Always "CheckpointError". */
  override readonly name = "CheckpointError";
}
/** WebGPU is missing, there is no adapter, or the device was lost. */
export class DeviceError extends GradusError {
  /** Always "DeviceError". */
  override readonly name = "DeviceError";
}
/** The model or the data exceeds a limit of this device. */
export class LimitError extends GradusError {
  /** Always "LimitError". */
  override readonly name = "LimitError";
}
/** The loss stopped being a finite number. The weights are those from before that step. */
export class NonFiniteError extends GradusError {
  /** Always "NonFiniteError". */
  override readonly name = "NonFiniteError";

  /** As it is thrown: what happened, and the number of the step, from 1. */
  constructor(
    message: string,
    /** Number of the step whose loss was not finite; it and all later steps left the weights alone. */
    readonly step: number,
  ) {
    super(message);
  }
}

/** For what only our own mistake can bring about. */
export function bug(message: string): never {
  throw new GradusError(`internal: ${message}. Please report this; it is a mistake in Gradus.`);
}

/** ` Did you mean "head"?`, or nothing where no name is near. */
export function didYouMean(name: string, names: readonly string[]): string {
  let best = "";
  let least = Math.max(2, Math.ceil(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best === "" ? "" : ` Did you mean "${best}"?`;
}

/** What there is in the place of a name that there is not: ` Did you mean "head"? Layers: stem, head.` */
export const instead = (name: unknown, what: string, names: readonly string[]): string =>
  `${didYouMean(String(name), names)} ${what} ${listed(names)}.`;

/** A list for a message: all of it when short, else the first twelve and how many more. */
export function listed(names: readonly string[]): string {
  const most = 12;
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** Levenshtein distance, with a swap of neighbours counted as one edit. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
