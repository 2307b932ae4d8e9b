// What a model and its input must be, whoever puts it on a device.

import { OptionError } from "../errors.ts";
import type { Stream } from "../graph/stream.ts";
import { checkedName, isLayer, type Model, wholeNumber } from "../op/layer.ts";
import { checkKeys, isRecord, shown } from "../option.ts";

/** Shape of one sample; images are [height, width, channels]. Of whole numbers, such as tokens: how many there are. */
export type Input = readonly number[] | { readonly shape: readonly number[]; readonly classes?: number };

export function checkModel(place: string, model: unknown): asserts model is Model {
  if (isLayer(model)) return;
  throw new OptionError(
    `${place}: the first argument is ${shown(model)}, which is no model. Make one with sequential() or functional().`,
  );
}

/** The streams of what a model is told of its inputs, or a loss function of its targets: one, or several by name. */
export function streamsOf(place: string, what: "input" | "target", given: unknown): Stream[] {
  if (!isRecord(given) || Array.isArray(given) || "shape" in given) return [streamOf(place, what, "", given)];
  const entries = Object.entries(given);
  if (entries.length === 0 && what === "input") streamOf(place, what, "", []);
  return entries.map(([name, one]) => streamOf(place, `${what}.${name}`, checkedName("", name), one));
}

function streamOf(place: string, what: string, name: string, given: unknown): Stream {
  const isFull = isRecord(given) && !Array.isArray(given);
  if (isFull) checkKeys(place, what, given, ["shape", "classes"]);
  const { shape, classes } = (isFull ? given : { shape: given }) as { shape: unknown; classes?: number };
  // A target may be one number a sample.
  if (!Array.isArray(shape) || (shape.length === 0 && what.startsWith("input"))) {
    throw new OptionError(
      `${place}: ${what} is ${shown(shape)}, it must be the shape of one sample. Give a list, for example [28, 28, 1] or [6].`,
    );
  }
  for (const length of shape) wholeNumber(place, `a length of ${what} [${shape}]`, length);
  if (classes !== undefined) wholeNumber(place, `classes of ${what}`, classes);
  return { name, shape: [...shape], ...(classes !== undefined && { classes }) };
}
