// Depth counted in blocks: layers of one block are equally deep, as timm counts for its layer decay.

import { listed, NameError } from "../errors.ts";
import { tester } from "../pattern.ts";

/**
 * The depths of layers where all layers within a path that `pattern` matches count as one: 1 for what comes first, one more for each block
 * or layer behind it. Of nested paths the outer one is the block. Throws NameError where nothing matches.
 */
export function blockDepths(depths: ReadonlyMap<string, number>, pattern: string): ReadonlyMap<string, number> {
  const matches = tester("compile: blocks", pattern);
  const blockOf = (layer: string): string => {
    const parts = layer.split(".");
    const paths = parts.map((_, i) => parts.slice(0, i + 1).join("."));
    return paths.find(matches) ?? layer;
  };
  const first = new Map<string, number>();
  for (const [layer, depth] of depths) {
    const block = blockOf(layer);
    first.set(block, Math.min(first.get(block) ?? depth, depth));
  }
  if (![...depths.keys()].some((layer) => matches(layer))) {
    throw new NameError(`compile: blocks "${pattern}" matches no layer. Layers: ${listed([...depths.keys()])}.`);
  }
  const order = [...new Set(first.values())].sort((a, b) => a - b);
  return new Map([...depths.keys()].map((layer) => [layer, order.indexOf(first.get(blockOf(layer)) as number) + 1]));
}
