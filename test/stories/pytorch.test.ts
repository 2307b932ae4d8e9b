// Networks that PyTorch trained, on the GPU: as good on their own data as they were, and they go on learning with a rate for each layer.

import { expect, test } from "vitest";
import { compile, crossEntropy, layerDecay, meanSquaredError, sgd, summary } from "../../src/index.ts";
import { loadWeights } from "../../src/pytorch/index.ts";
import { cartPole, hitsOf, type PyTorchNetwork, pytorchFigures, pytorchNetworks } from "../foreign/pytorch.ts";
import { foreignFile as get } from "./foreign.ts";
import { guarded } from "./guarded.ts";

async function trainerOf({ file, options, model, input }: PyTorchNetwork, device: GPUDevice) {
  const { weights } = await loadWeights(summary(model, { input }), await get(file), options);
  const loss = file.startsWith("rl-agents") ? { action: crossEntropy(), value: meanSquaredError() } : crossEntropy();
  return compile(model, {
    device,
    input,
    loss,
    batch: 20,
    weights,
    optimizer: sgd({ lr: 1e-3 }),
    rates: layerDecay(0.8),
  });
}

/** Right ones of the first 20; the soak takes all, and all networks. */
const few: Readonly<Record<string, number>> = { resnet20: 17, "vit of three digits": 20 };

test.each(Object.entries(few))("%s knows what it was trained on, and learns", (name, hits) =>
  guarded(async (device) => {
    const figure = pytorchFigures[name]!;
    const trainer = await trainerOf(figure, device);
    const predict = async (x: Float32Array<ArrayBuffer>) => (await trainer.predict(x)).data;
    expect(await hitsOf(figure, predict, get, 20)).toEqual({ hits, samples: 20 });
    const { x, labels } = await figure.read(get, 20);
    const { loss } = await trainer.evaluate({ x, y: labels });
    await trainer.fit({ x, y: labels }, { epochs: 1 });
    expect((await trainer.evaluate({ x, y: labels })).loss).toBeLessThan(loss);
    trainer.dispose();
  }),
);

test("the agent keeps the pole up for 150 steps, and its critic values what it sees", () =>
  guarded(async (device) => {
    const trainer = await trainerOf(pytorchNetworks.agent, device);
    // Six episodes side by side, of which the soak makes more and longer ones, from starts within the 0.05 that the task allows.
    let states = Array.from({ length: 6 }, (_, i) => [0, 1, 2, 3].map((j) => (((i * 4 + j) * 37) % 21) / 210 - 0.05));
    for (let step = 0; step < 150; step++) {
      const { data } = await trainer.predict(states.flat(), { output: "action" });
      states = states.map((state, i) => {
        const next = cartPole(state, (data[2 * i + 1] as number) > (data[2 * i] as number));
        expect(next, `episode ${i} fell at step ${step}`).toBeDefined();
        return next as number[];
      });
    }
    const { data } = await trainer.predict([0, 0, 0, 0], { output: "value" });
    expect(data[0]).toBeGreaterThan(40);
    trainer.dispose();
  }));
