// The code that does what the page did, as text to copy: TypeScript with the settings that the run has.

import { networks } from "./networks.ts";
import type { Plan } from "./plan.ts";

/** A program in TypeScript. */
export function typescript(
  { network, way, classes, batch, size, lr, body, first, alone, seed }: Plan,
  steps: number,
): string {
  const { folder, after, channels, mean, std, rest } = networks[network];
  const rates = {
    scratch: [],
    head: [`  rates: ({ depth, maxDepth }) => (depth === maxDepth ? undefined : { frozen: true }),`],
    layers: [
      `  // The head alone for ${alone} steps, then all: ${body} of its rate below it, falling to ${first} of that at the input.`,
      `  rates: ({ depth, maxDepth }) =>`,
      `    depth === maxDepth`,
      `      ? undefined`,
      `      : { multiplier: ${body} * ${first} ** ((maxDepth - 1 - depth) / (maxDepth - 2)), from: ${alone} },`,
    ],
  }[way];
  return [
    `import { adam, compile, crossEntropy, dense, replaceHead } from "gradus";`,
    `import { fromKeras } from "gradus/keras";`,
    ``,
    `const get = async (path) => (await fetch(\`networks/${folder}/\${path}\`)).arrayBuffer();`,
    `const read = await fromKeras({ json: await get("model.json"), weights: get }, { logits: true });`,
    `const model = replaceHead(read.model, [dense(${classes})], { after: "${after}" });`,
    `const trainer = await compile(model, {`,
    `  input: [${size}, ${size}, ${channels}],`,
    `  batch: ${batch},`,
    `  mean: ${mean},`,
    `  std: ${std},`,
    `  seed: ${seed},`,
    ...(way === "scratch" ? [] : [`  weights: read.weights,`]),
    `  loss: crossEntropy(),`,
    `  optimizer: adam({ lr: ${lr} }),`,
    ...rates,
    `  cacheFrozen: true, // what rests at the input is computed once for each picture`,
    `});`,
    ...(rest === undefined || way === "scratch" ? [] : [`trainer.rates.freeze("${rest}");`]),
    `// x: bytes of all pictures, one after the other; y: a class number each`,
    `await trainer.fit({ x, y }, { epochs: 1e6, steps: ${steps} });`,
    `const bytes = await trainer.save();`,
    ``,
  ].join("\n");
}
