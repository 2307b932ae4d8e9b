// The kernel of all ops that only move numbers: an index map for each input says where its numbers go.

import source from "../../shaders/move.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { type IndexMap, insideOf, placeOf } from "./index-map.ts";
import { threads } from "./kernel.ts";
import type { Kernel, Work } from "./op.ts";
import { dims, size, type Tensor } from "./tensor.ts";

/** What is done to numbers on their way beside moving them, as WGSL. */
interface Change {
  /** Of `given`. */
  readonly share?: string;
  /** How many numbers of y are real; all others become 0. */
  readonly real?: string;
}

/** The kernel of an op of these `inputs`, at most three; `maps` are theirs, from a place in y to one in them. */
export const moveKernel = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  inputs: readonly string[],
  maps: (work: Work) => readonly IndexMap[],
  change: (work: Work) => Change = () => ({}),
): Kernel => ({
  name,
  source,
  choose(work) {
    const { tensors, all, attributes, epilogue: steps, checked } = work;
    const y = tensors.y as Tensor;
    const columns = y.shape.at(-1) ?? 1;
    const length = size(y.shape);
    const quads = Math.ceil(length / 4);
    const sources = maps(work);
    const fours = sources.every(goesInFours);
    const { share = "given", real = "LENGTH" } = change(work);
    const end = epilogue(steps, all, { lanes: 4, columns, aligned: true });
    const own = all.slice(0, inputs.length);
    return {
      holes: {
        STEP: !checked && (real + share).includes("step.") ? step : "",
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        INPUTS: inputsText(inputs, sources, fours, Number(attributes.value ?? 0)),
        FOURS: fours,
        ...{ SHARE: share, REAL: real },
      },
      constants: { QUADS: quads, COLUMNS: columns, LENGTH: length },
      tensors: { ...Object.fromEntries(inputs.map((input, i) => [input, own[i] as Tensor])), y, ...end.tensors },
      grid: threads(quads),
      note: `${own.map(dims).join(" ")}${end.note}`,
    };
  },
});

/** Whether any four numbers of a quad are neighbours in memory too, and begin where a vec4f does. */
function goesInFours({ runs, first }: IndexMap): boolean {
  const [last, ...others] = [...runs].reverse();
  const isLine = last?.from === 1 && last.to === 1 && last.window === undefined && last.length % 4 === 0;
  return isLine && first % 4 === 0 && others.every(({ to }) => to % 4 === 0);
}

/** Declarations of the inputs, and a function that takes a number of y, or four, from where it stands. */
function inputsText(inputs: readonly string[], maps: readonly IndexMap[], fours: boolean, fill: number): string {
  const element = fours ? "vec4f" : "f32";
  const lines = inputs.map((input, i) => {
    const map = maps[i] as IndexMap;
    const [inside, place] = [insideOf(map, "at"), placeOf(map, "at")];
    const take = `return ${input}[${fours ? `(${place}) / 4` : place}];`;
    return inside === "" ? `  ${take}` : `  if (${inside}) { ${take} }`;
  });
  const isSure = insideOf(maps.at(-1) as IndexMap, "at") === "";
  return [
    ...inputs.map((input, i) => `@group(0) @binding(${i}) var<storage, read> ${input}: array<${element}>;`),
    `fn taken(at: u32) -> ${element} {`,
    ...lines,
    ...(isSure ? [] : [`  return ${element}(f32(${fill}));`]),
    "}",
  ].join("\n");
}
