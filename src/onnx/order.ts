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
          `it makes "${output}", which ${other?.place ?? "an input or a constant"} makes too. A name may be made once.`,
        );
      makers.set(output, node);
    }
  }
  const made: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  // A stack of its own, since files may be deeper than calls.
  const visit = (start: Node): void => {
    const stack: { readonly node: Node; at: number }[] = [{ node: start, at: 0 }];
    state.set(start, "open");
    while (stack.length > 0) {
      const top = stack.at(-1) as { readonly node: Node; at: number };
      const input = top.node.inputs[top.at++];
      if (input === undefined) {
        state.set(top.node, "done");
        made.push(top.node);
        stack.pop();
      } else if (input !== "" && !given.has(input)) {
        const maker =
          makers.get(input) ??
          refuse(top.node, `it takes "${input}", which no node, input or constant is called. The file is damaged.`);
        if (state.get(maker) === "open")
          refuse(
            maker,
            `it takes, by way of ${top.node.place}, what it makes itself, "${input}". The file is damaged.`,
          );
        if (state.get(maker) === undefined) {
          state.set(maker, "open");
          stack.push({ node: maker, at: 0 });
        }
      }
    }
  };
  for (const output of outputs) {
    const maker = makers.get(output);
    if (maker === undefined && !given.has(output))
      fail(`the output "${output}" is made by none of ${nodes.length} nodes. The file is damaged.`);
    if (maker !== undefined && state.get(maker) === undefined) visit(maker);
  }
  return made;
}

/** The names that a user asks for must be of the file. */
export function checkAsked(what: string, asked: readonly string[], there: readonly string[]): void {
  const odd = asked.find((name) => !there.includes(name));
  if (odd !== undefined)
    throw new NameError(`onnx: there is no ${what} "${odd}". There are ${there.slice(0, 12).join(", ")}.`);
}
