// The nodes of a graph in an order in which each comes behind those that it takes from, without those that no output needs.

import { NameError } from "../index.ts";
import { fail } from "./fail.ts";
import { type Node, refuse } from "./node.ts";

/** Sorts; `given` are the names that there are before any node. Throws CheckpointError for cycles and for names that nobody makes. */
export function sorted(nodes: readonly Node[], given: ReadonlySet<string>, outputs: readonly string[]): Node[] {
  const makers = new Map<string, Node>();
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === "") continue;
      const other = makers.get(output);
      if (other !== undefined || given.has(output))
        refuse(
          node,
          `it makes "${output}", which ${other?.place ?? "an input or a constant"} makes too. The file is damaged.`,
        );
      makers.set(output, node);
    }
  }
  const made: Node[] = [];
  const isDone = new Map<Node, boolean>();
  // A stack of its own, since files may be deeper than calls; a node stays on it until all that it takes is made.
  const stack: Node[] = [];
  for (const output of outputs) {
    if (given.has(output)) continue;
    stack.push(
      makers.get(output) ??
        fail(`the output "${output}" is made by none of ${nodes.length} nodes. The file is damaged.`),
    );
    while (stack.length > 0) {
      const node = stack.at(-1) as Node;
      const before = isDone.get(node);
      if (before === undefined) {
        isDone.set(node, false);
        for (const input of node.inputs.toReversed()) {
          if (input === "" || given.has(input)) continue;
          const maker =
            makers.get(input) ??
            refuse(node, `it takes "${input}", which no node, input or constant is called. The file is damaged.`);
          if (isDone.get(maker) === false)
            refuse(maker, `it takes, by way of ${node.place}, what it makes itself, "${input}". The file is damaged.`);
          stack.push(maker);
        }
      } else {
        stack.pop();
        if (!before) made.push(node);
        isDone.set(node, true);
      }
    }
  }
  return made;
}

/** The names that a user asks for must be of the file. */
export function checkAsked(what: string, asked: readonly string[], there: readonly string[]): void {
  const odd = asked.find((name) => !there.includes(name));
  if (odd !== undefined)
    throw new NameError(`onnx: there is no ${what} "${odd}". There are ${there.slice(0, 12).join(", ")}.`);
}
