// Weights of the file in the places of the model's: by the names that both have, checked against the shapes that the layer says.

import { sizeOf } from "../foreign/strided.ts";
import type { Leaf } from "./build.ts";
import { refuse } from "./config.ts";
import type { Need } from "./layer-class.ts";
import type { FileTensor, Numbers } from "./tensor.ts";

/** A weight that was found. */
export interface Placed {
  /** Its name in the model. */
  readonly name: string;
  readonly leaf: Leaf;
  readonly need: Need;
  readonly tensor: FileTensor;
}

interface Candidate {
  readonly tensor: FileTensor;
  /** The parts of its name before the last. */
  readonly folders: readonly string[];
  readonly last: string;
}

/** A name without the number of its output, `kernel:0`. */
export const plainName = (name: string): string => name.replace(/:\d+$/, "");

function candidateOf(tensor: FileTensor): Candidate {
  const parts = plainName(tensor.name).split("/");
  return { tensor, folders: parts.slice(0, -1), last: parts.at(-1) as string };
}

/** Finds the weights of all layers; none may serve two. Throws CheckpointError with the layer, what it needs and what there is. */
export function placed(leaves: readonly Leaf[], tensors: readonly FileTensor[]): readonly Placed[] {
  const byGroup = new Map<string, Candidate[]>();
  const byFolder = new Map<string, Candidate[]>();
  const push = (map: Map<string, Candidate[]>, key: string, one: Candidate): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [one]);
    else list.push(one);
  };
  for (const tensor of tensors) {
    const one = candidateOf(tensor);
    const { group } = tensor;
    if (group !== undefined) push(byGroup, group, one);
    for (const folder of new Set(one.folders))
      push(byFolder, group === undefined ? folder : `${group}\n${folder}`, one);
  }
  return leaves.flatMap((leaf) => {
    if (leaf.made.needs.length === 0) return [];
    const { path } = leaf.config;
    const parts = path.flatMap((name) => name.split("/"));
    const own = parts.at(-1) as string;
    const [top = ""] = path;
    // A group of the file holds all of a layer of the outermost model, whatever its weights are called.
    const grouped = path.length === 1 ? byGroup.get(top) : byFolder.get(`${top}\n${own}`);
    const candidates = grouped ?? byFolder.get(own) ?? [];
    return leaf.made.needs.map((need): Placed => {
      const fits = candidates.filter((one) => need.names.includes(one.last) && isWithin(one, need));
      const best = fits.reduce((most, one) => Math.max(most, likeness(one, parts)), 0);
      const chosen = fits.filter((one) => likeness(one, parts) === best);
      const [only] = chosen;
      if (only === undefined) {
        const there = candidates.map(({ tensor }) => `"${tensor.name}" [${tensor.shape}]`);
        return refuse(
          leaf.config,
          `its ${need.names[0]}${need.within === undefined ? "" : ` of the ${need.within} direction`} is missing. The file has for it: ${there.length === 0 ? "nothing" : there.slice(0, 8).join(", ")}.`,
        );
      }
      if (chosen.length > 1) {
        return refuse(
          leaf.config,
          `its ${need.names[0]} may be ${chosen.map(({ tensor }) => `"${tensor.name}"`).join(" or ")}.`,
        );
      }
      checkShape(leaf, need, only.tensor);
      return { name: `${leaf.at}.${need.to}`, leaf, need, tensor: only.tensor };
    });
  });
}

const isWithin = ({ folders }: Candidate, { within }: Need): boolean =>
  within === undefined || folders.some((folder) => folder.startsWith(`${within}_`));

/** How much of a layer's path a name has: the whole of it counts most. */
function likeness({ folders }: Candidate, parts: readonly string[]): number {
  const shared = parts.filter((part) => folders.includes(part)).length;
  return shared + (folders.join("/") === parts.join("/") ? 1000 : 0);
}

function checkShape({ config }: Leaf, { names, shape }: Need, tensor: FileTensor): void {
  if (shape === undefined) return;
  const fits =
    tensor.shape.length === shape.length &&
    shape.every((length, i) => length === undefined || length === tensor.shape[i]);
  if (fits) return;
  const wanted = shape.map((length) => length ?? "any").join(",");
  refuse(config, `its ${names[0]} "${tensor.name}" has shape [${tensor.shape}], it must be [${wanted}].`);
}

/** The numbers of a weight as the model has them. */
export function numbersOf({ need, tensor, leaf }: Placed): Numbers {
  const data = tensor.numbers();
  const count = sizeOf(tensor.shape);
  if (data.length !== count)
    refuse(leaf.config, `"${tensor.name}" has ${data.length} numbers, its shape [${tensor.shape}] says ${count}.`);
  const odd = data.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) refuse(leaf.config, `"${tensor.name}" has ${data[odd]} at ${odd}, all numbers must be finite.`);
  const given = { shape: tensor.shape, data };
  return need.turn?.(given) ?? given;
}
