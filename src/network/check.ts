// What a model and its input must be, whoever puts it on a device.

import { OptionError } from "../errors.ts";
import type { DataFormat } from "../graph/trace.ts";
import { isLayer, type Layer, wholeNumber } from "../op/layer.ts";
import { shown } from "../option.ts";

/** The form of data that programs are looked at with before there is any. */
export const FLOATS: DataFormat = { bytes: false, period: 0 };

export function checkModel(place: string, model: unknown): asserts model is Layer {
  if (isLayer(model)) return;
  throw new OptionError(
    `${place}: the first argument is ${shown(model)}, which is no model. Make one with sequential() or functional().`,
  );
}

export function checkInput(place: string, input: unknown): asserts input is readonly number[] {
  if (!Array.isArray(input) || input.length === 0) {
    throw new OptionError(
      `${place}: input is ${shown(input)}, it must be the shape of one sample. Give a list, for example [28, 28, 1] or [6].`,
    );
  }
  for (const length of input) wholeNumber(place, `a length of input [${input}]`, length);
}
