// The run that the page of one's own network shows where there is no GPU, recorded in Node: bundled by record.ts, it writes what a visitor would see as JSON into
// the file that it is told.

import { writeFileSync } from "node:fs";
import { create } from "webgpu";
import { dataFile } from "../../demo/data.ts";
import { loadDigits, PIXELS, readDigitsWith } from "../../demo/digits.ts";
import { readMnist } from "../../demo/mnist-files.ts";
import { drawn } from "../../demo/yours/given.ts";
import { readNetwork } from "../../demo/yours/networks.ts";
import type { Plan } from "../../demo/yours/plan.ts";
import type { Look, Recorded } from "../../demo/yours/recorded.ts";
import { compileWay } from "../../demo/yours/ways.ts";

/** Steps of the run, and from one look to the next. */
const [STEPS, EVERY] = [60, 5];
const plan: Plan = {
  ...({ network: "doodlenet", way: "layers", classes: 5, batch: 10, size: 28, seed: 1 } as const),
  ...{ lr: 0.01, body: 0.1, first: 0.1, alone: 20 },
};

const rounded = (value: number): number => Number(value.toPrecision(4));

readDigitsWith(readMnist);
const names = Array.from({ length: plan.classes }, (_, digit) => String(digit));
const labels = names.map((name, digit) => [digit, name] as const);
const { learnt, others } = drawn(await loadDigits("test"), labels, { each: 10, others: 500, seed: plan.seed });
const first = names.map((_, label) => others.y.indexOf(label));
const shown = Uint8Array.from(first.flatMap((i) => [...others.x.subarray(i * PIXELS, (i + 1) * PIXELS)]));

const gpu = create([]);
const read = await readNetwork(plan.network, (path) => dataFile(path) as Promise<Uint8Array<ArrayBuffer>>);
const trainer = await compileWay(read, plan, { gpu });
const losses: number[] = [];
const looks: Look[] = [];
let stats: Look["stats"];
let seconds = 0;
const look = async (): Promise<void> => {
  const { data } = await trainer.predict(shown, { activation: "softmax" });
  const rows = trainer.rates.table().map(({ name, parameterCount, state, base, multiplier, lr, updates }) => ({
    ...{ name, parameterCount, state, updates },
    ...{ base: rounded(base), multiplier: rounded(multiplier), lr: rounded(lr) },
  }));
  looks.push({ step: trainer.steps, rows, stats, odds: Array.from(data, (part) => Number(part.toFixed(3))) });
};
await look();
while (trainer.steps < STEPS) {
  const since = performance.now();
  await trainer.fit(learnt, {
    ...{ steps: EVERY, resume: trainer.steps > 0, epochs: 1000, statsEvery: EVERY },
    onStep: ({ loss }) => losses.push(rounded(loss)),
    onStats: ({ layers }) => {
      stats = layers.map(({ name, ratio, gradient }) => ({
        name,
        ratio: rounded(ratio),
        gradient: rounded(gradient),
      }));
    },
  });
  seconds += (performance.now() - since) / 1000;
  await look();
}
const { accuracy } = await trainer.evaluate(others);
const recorded: Recorded = {
  day: new Date().toISOString().slice(0, 10),
  adapter: trainer.adapter,
  ...{ plan, names, losses, looks },
  pictures: Buffer.from(shown).toString("base64"),
  result: { accuracy, others: others.y.length, seconds: Number(seconds.toFixed(1)) },
};
writeFileSync(process.argv[2] as string, `${JSON.stringify(recorded)}\n`);
console.log(`${process.argv[2]}: ${STEPS} steps in ${seconds.toFixed(1)} s, ${(100 * accuracy).toFixed(2)} % right.`);
trainer.dispose();
process.exit(0); // Dawn may keep a process
