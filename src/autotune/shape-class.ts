// Which nodes are taken for alike, so that one of them is measured for all: the same kernel with the same switches, small numbers and
// end, on tensors of the same size. A length is taken up to the next power of 2, with what is left over a multiple of 4, since that
// decides what is loaded and stored in fours.

import type { Kernel, Work } from "../index.ts";
import type { Candidate } from "./core.ts";

/** Up to this a number counts as it is: lengths of filters, strides, parts. What is larger follows from lengths of tensors. */
const SMALL = 16;

const rounded = (length: number): string => {
  if (length <= SMALL) return String(length);
  return `${2 ** Math.ceil(Math.log2(length))}${length % 4 === 0 ? "" : `+${length % 4}`}`;
};

/** What is alike, in words. `first` is what the kernel runs by itself. */
export function shapeClass(kernel: Kernel, work: Work, { choice }: Candidate): string {
  const { constants = {}, holes = {} } = choice;
  const tensors = Object.entries(work.tensors).map(([name, { shape, dtype }]) => {
    return `${name} ${dtype} ${shape.map(rounded).join("x")}`;
  });
  const small = Object.entries(constants).flatMap(([name, value]) => (value <= SMALL ? `${name} ${value}` : []));
  const switches = Object.keys(holes).filter((name) => holes[name] === true);
  const end = work.epilogue.map(({ op }) => op.name);
  return [[kernel.name], tensors, small, switches, end].map((part) => part.join(", ")).join("; ");
}

/** What a candidate is called: its tactic in words. */
export const candidateName = ({ tactic }: Candidate): string =>
  Object.entries(tactic)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
