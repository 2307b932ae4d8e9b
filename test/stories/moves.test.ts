// What moves numbers, images between pixels and embeddings on a GPU: values and gradients of PyTorch, the same bits each time, and
// nothing of what is not in a short batch.

import { expect, test } from "vitest";
import { compile, embedding, meanSquaredError, sequential, sgd } from "../../src/index.ts";
import { type GoldenMove, goldenMoves } from "../golden/moves.ts";

const trainerOf = async ({ model, shape, classes, batch, weights }: GoldenMove, room = batch) => {
  const input = { shape, ...(classes !== undefined && { classes }) };
  const trainer = await compile(model, { input, batch: room, loss: meanSquaredError(), optimizer: sgd({ lr: 0.1 }) });
  trainer.setWeights(weights);
  return trainer;
};

const apart = (got: ArrayLike<number>, wanted: readonly number[]): number =>
  Math.max(...wanted.map((value, i) => Math.abs(got[i]! - value))) / Math.max(...wanted.map(Math.abs));

test.each(goldenMoves.map((one) => [one.name, one] as const))("%s agrees with PyTorch", async (_, one) => {
  const trainer = await trainerOf(one);
  const samples = { x: one.x, y: one.target };
  expect(apart((await trainer.predict(one.x)).data, one.y)).toBeLessThan(1e-6);
  const [first, second] = [await trainer.gradients(samples), await trainer.gradients(samples)];
  expect(first.loss).toBeCloseTo(one.loss, 5);
  expect([...first.gradients.keys()].sort()).toEqual(Object.keys(one.gradients).sort());
  for (const [name, wanted] of Object.entries(one.gradients)) {
    const { data } = first.gradients.get(name)!;
    expect(apart(data, wanted), name).toBeLessThan(2e-6);
    expect(second.gradients.get(name)!.data).toEqual(data);
  }
  trainer.dispose();
});

test("tokens beyond a short batch count nothing", async () => {
  const one = goldenMoves.find(({ name }) => name === "tied")!;
  const trainer = await trainerOf(one, one.batch + 2);
  const { gradients, loss } = await trainer.gradients({ x: one.x, y: one.target });
  expect(loss).toBeCloseTo(one.loss, 5);
  for (const [name, wanted] of Object.entries(one.gradients)) {
    expect(apart(gradients.get(name)!.data, wanted), name).toBeLessThan(2e-6);
  }
  trainer.dispose();
});

test("sums of tokens that are cut are those that are not", async () => {
  const [samples, length, vocabulary] = [6, 70, 3];
  const model = sequential([embedding(vocabulary, 5)]);
  const trainer = await compile(model, {
    input: { shape: [length], classes: vocabulary },
    batch: samples + 1,
    loss: meanSquaredError(),
  });
  const x = Array.from({ length: samples * length }, (_, i) => (i * i) % vocabulary);
  const y = Array.from({ length: samples * length * 5 }, (_, i) => Math.sin(i));
  const table = (await trainer.weights()).get("0.weight")!.data;
  const wanted = new Float64Array(vocabulary * 5);
  for (const [k, id] of x.entries()) {
    for (let c = 0; c < 5; c++) wanted[id * 5 + c]! += (2 * (table[id * 5 + c]! - y[k * 5 + c]!)) / y.length;
  }
  const { gradients } = await trainer.gradients({ x, y });
  expect(apart(gradients.get("0.weight")!.data, [...wanted])).toBeLessThan(2e-6);
  expect(String(trainer.recording().commands.map(({ kernel }) => kernel))).toContain("sum-rows");
  trainer.dispose();
});
