// A model as a list of named parts that says what each takes: the form in which foreign networks arrive, and which can be cut.

import { listed, NameError, OptionError } from "../errors.ts";
import {
  applied,
  checkLayer,
  type From,
  type GraphPart,
  isValue,
  type Model,
  type Scope,
  type Value,
  type Values,
} from "../op/layer.ts";
import { isRecord, shown } from "../option.ts";

/** The one input of a model that takes a single value. */
export const INPUT = "x";

/**
 * A model of named parts in order: [name, layer, what it takes]. What it takes is the name of a part before it or of an input, or a
 * record of such names for a layer that takes values by name. The only input is "x"; where the model is given values by name, those
 * are the names of the inputs. `outputs` names the part whose result the model gives, or several: { name: part }. Default: the last.
 * Names may have dots, `layer1.0.conv1`, and weights are called by them. A part that gives several values gives "part:value" each. A
 * part "stem#2" uses the layer of "stem" again, with the same weights.
 *
 * Throws NameError for names that stand twice, come too late or cannot stand in a path, OptionError for what is no list of parts.
 *
 * @example
 * graph([
 *   ["left", dense(8), "x"],
 *   ["right", dense(8), "x"],
 *   ["sum", functional(({ a, b }: Record<"a" | "b", Value>, { add }) => add(a, b)), { a: "left", b: "right" }],
 *   ["head", dense(10), "sum"],
 * ])
 */
export function graph(parts: readonly (readonly [name: string, layer: Model, from: From])[], outputs?: From): Model {
  const advice = 'Write graph([["stem", dense(8), "x"], ["head", dense(2), "stem"]]).';
  if (!Array.isArray(parts) || parts.length === 0) {
    throw new OptionError(`graph: ${shown(parts)} is no list of parts. ${advice}`);
  }
  const known = new Set<string>();
  const made = parts.map((part: unknown, i): GraphPart => {
    const [name, layer, from] = Array.isArray(part) ? part : [];
    if (typeof name !== "string")
      throw new OptionError(`graph: part ${i} is ${shown(part)}, it has no name. ${advice}`);
    if (known.has(name)) throw new NameError(`graph: "${name}" stands twice. Give each part a name of its own.`);
    known.add(name);
    checkLayer("graph", `"${name}"`, layer);
    checkFrom(`"${name}"`, from);
    return { name, layer: layer as Model, from };
  });
  const last = made.at(-1) as GraphPart;
  const asked = outputs ?? last.name;
  checkFrom("outputs", asked);
  return partsModel("graph", made, asked);
}

function checkFrom(what: string, from: unknown): asserts from is From {
  const names = typeof from === "string" ? [from] : isRecord(from) ? Object.values(from) : [];
  if (names.length > 0 && names.every((name) => typeof name === "string")) return;
  throw new OptionError(
    `graph: ${what} takes ${shown(from)}. Give the name of a part or of an input, or { name: part, ... }.`,
  );
}

/** A model that shows its parts, so that it can be cut. */
export const partsModel = (kind: string, parts: readonly GraphPart[], outputs: From): Model => ({
  kind,
  takesValues: true,
  parts,
  outputs,
  apply(scope, x: Value | Values) {
    const known = new Map<string, Value>();
    const learn = (name: string, made: Value | Values): void => {
      if (isValue(made)) known.set(name, made);
      else for (const [key, value] of Object.entries(made)) known.set(name === "" ? key : `${name}:${key}`, value);
    };
    learn(isValue(x) ? INPUT : "", x);
    const inputs = [...known.keys()];
    const found = (place: string, name: string): Value => {
      const value = known.get(name);
      if (value !== undefined) return value;
      throw new NameError(
        `${kind}: ${place} takes "${name}", which is no input (${listed(inputs)}) and no part before it. Correct the name or the order.`,
      );
    };
    const taken = (place: string, from: From): Value | Values =>
      typeof from === "string"
        ? found(place, from)
        : Object.fromEntries(Object.entries(from).map(([name, one]) => [name, found(place, one)]));
    for (const { name, layer, from } of parts) {
      if (inputs.includes(name)) throw new NameError(`${kind}: "${name}" is a part and an input. Rename the part.`);
      learn(name, applied(layer, within(scope, name), taken(`"${name}"`, from)));
    }
    return taken("the output", outputs);
  },
});

/** The place of a part: its name, without the number of a further use of a layer. */
const within = (scope: Scope, name: string): Scope =>
  name
    .replace(/#[0-9]+$/, "")
    .split(".")
    .reduce((at, part) => at.child(part), scope);
