// What a layer may ask for by `scope.op`, and the checks of it. The rows of the op table trust their inputs, so whatever a
// custom layer gets wrong is refused here: a shape that does not fit would make a kernel read the wrong numbers in silence.

import { didYouMean, NameError, OptionError, ShapeError } from "../errors.ts";
import { windowRefusal } from "../model/conv2d.ts";
import { type Attributes, placeOf, where, wholeNumber } from "../model/layer.ts";
import { checkName, checkOptions, checkSwitches, shown } from "../option.ts";
import { size, type Tensor } from "./graph.ts";
import { opTable } from "./table.ts";

const strides = ["strideHeight", "strideWidth", "padding"];

/** The ops that are not elementwise, with their attributes. */
const attributesOf: ReadonlyMap<string, readonly string[]> = new Map([
  ["matmul", ["transposeA", "transposeB"]],
  ["reshape", ["shape"]],
  ["conv2d", strides],
  ["maxPool2d", ["kernelHeight", "kernelWidth", ...strides]],
]);

/** Names of the ops that a layer may ask for: those that have a way back, losses and the gathering of data left out. */
export const requestable: readonly string[] = [...opTable.values()]
  .filter(
    ({ name, elementwise, backward }) => backward !== null && (elementwise !== undefined || attributesOf.has(name)),
  )
  .map(({ name }) => name);

/** Refuses an op that there is not, inputs that do not fit and attributes that it does not have. */
export function checkRequest(path: string, op: string, inputs: readonly Tensor[], attributes: Attributes): void {
  const row = opTable.get(op);
  if (row === undefined || !requestable.includes(op)) {
    throw new NameError(
      `${placeOf(path)}: there is no op ${shown(op)}.${didYouMean(String(op), requestable)} Ops: ${requestable.join(", ")}.`,
    );
  }
  const place = where(op, { path });
  if (inputs.length !== row.arity)
    throw new OptionError(`${place}: it was given ${inputs.length} values, it takes ${row.arity}. Give as many.`);
  const keys = attributesOf.get(op) ?? [];
  checkOptions(place, attributes, keys, "{ name: value } or nothing");
  for (const key of keys) checkAttribute(place, key, attributes[key]);
  const [x, y] = inputs.map(({ shape }) => shape) as [Tensor["shape"], Tensor["shape"]];
  if (op === "conv2d" || op === "maxPool2d") {
    const window = op === "conv2d" ? y : [attributes.kernelHeight as number, attributes.kernelWidth as number];
    const refusal = windowRefusal(x, window, attributes.padding);
    if (refusal !== undefined) throw new ShapeError(`${place}: ${refusal}`);
  }
  const demand = unmet(op, x, y, attributes);
  const given = inputs.map(({ shape }) => `[${shape}]`).join(" and ");
  if (demand !== undefined) throw new ShapeError(`${place}: it was given ${given}. ${demand}.`);
}

/** What shapes must be to fit; undefined where they are. */
function unmet(op: string, x: readonly number[], y: readonly number[], attributes: Attributes): string | undefined {
  const operand = opTable.get(op)?.elementwise?.operand;
  const last = x.at(-1);
  if (operand === "same" && String(x) !== String(y)) return "Both shapes must be equal";
  if (operand === "last" && String(y) !== String(last)) return `The second must be [${last}]`;
  if (op === "conv2d" && (y.length !== 4 || y[2] !== last))
    return `The second must be [height, width, ${last}, filters]`;
  if (op === "reshape" && size(x) !== size(String(attributes.shape).split("x").map(Number)))
    return `The new shape is ${attributes.shape}, it must hold ${size(x)} numbers`;
  if (op !== "matmul") return undefined;
  const fits = x[attributes.transposeA === true ? 0 : 1] === y[attributes.transposeB === true ? 1 : 0];
  return fits && x.length === 2 && y.length === 2
    ? undefined
    : "Give matrices, with as many columns in the first as rows in the second once they are transposed";
}

function checkAttribute(place: string, name: string, value: unknown): void {
  if (name.startsWith("transpose")) checkSwitches(place, { [name]: value ?? false });
  else if (name === "padding") checkName(place, name, value as string, ["same", "valid"]);
  else if (name !== "shape") wholeNumber(place, name, value as number);
  else if (typeof value !== "string" || !/^[1-9]\d*(x[1-9]\d*)*$/.test(value))
    throw new OptionError(`${place}: shape is ${shown(value)}, it must be lengths as text, for example "32x10".`);
}
