// The short bench: what can be counted of a step of each workload, without a GPU and without a clock, against what docs/counts.json says
// of it. What is worse is red by name. What is better wants to be written down: `npm run counts` makes the file again.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dataOf, trainerOf } from "../../demo/bench/gradus.ts";
import { type WorkloadName, workloadNames, workloads } from "../../demo/bench/workload.ts";
import { countingDevice, type Kind } from "./counting-device.ts";
import { occupancyOf } from "./occupancy.ts";

type Figures = Readonly<Record<string, number>>;
type Counted = Readonly<Record<string, Figures>>;

const file = new URL("../../docs/counts.json", import.meta.url);
const STEPS = 4;

/** What is counted for each kind of adapter: on software those that are another program there, or stand for those that are none. */
const counting: Readonly<Record<Kind, readonly WorkloadName[]>> = {
  gpu: workloadNames,
  software: ["mlp", "cnn", "gpt", "resnet"],
};

/** Each number is better the smaller it is. */
async function figuresOf(workload: (typeof workloads)[WorkloadName], kind: Kind): Promise<Figures> {
  const { device, read } = countingDevice(kind);
  const trainer = await trainerOf(workload, {}, device);
  const data = dataOf(workload);
  const run = async (steps: number) => {
    const before = read();
    await trainer.fit(data, { epochs: Number.MAX_SAFE_INTEGER, steps, shuffle: false, resume: true });
    return (name: keyof typeof before): number => read()[name] - before[name];
  };
  // Twice the steps beside once tells a step from what a run begins with.
  const once = await run(STEPS);
  const objects = once("made");
  const twice = await run(2 * STEPS);
  const perStep = (name: "dispatches" | "setPipeline" | "setBindGroup"): number => twice(name) / (2 * STEPS);
  const { commands, memory } = trainer.recording();
  const occupied = kind === "gpu" ? occupancyOf(commands) : [];
  const figures = {
    dispatches: perStep("dispatches"),
    setPipeline: perStep("setPipeline"),
    setBindGroup: perStep("setBindGroup"),
    mostSubmits: Math.ceil(twice("submits") / (2 * STEPS)),
    madeInMoreSteps: Math.max(0, twice("made") - objects),
    pipelines: read().pipelines,
    plannedBytes: memory.planned,
    allBytes: read().bytes,
    ...(kind === "gpu" && {
      dispatchesWithFewWorkgroups: occupied.filter(({ workgroups, wanted }) => workgroups < wanted).length,
      termsAlone: Math.max(...occupied.map(({ alone }) => alone)),
    }),
  };
  trainer.dispose();
  return figures;
}

const then: Readonly<Record<Kind, Counted>> = JSON.parse(readFileSync(file, "utf8"));
const now: Record<string, Counted> = {};

for (const kind of ["gpu", "software"] as const) {
  const counted: Record<string, Figures> = {};
  for (const name of counting[kind]) counted[name] = await figuresOf(workloads[name], kind);
  now[kind] = counted;
}

/** Every figure that is larger than it was, or that nobody had written down. */
const worse = (now: Counted, then: Counted = {}): string[] =>
  Object.entries(now).flatMap(([workload, figures]) =>
    Object.entries(figures).flatMap(([name, value]) => {
      const was = then[workload]?.[name];
      return was !== undefined && value <= was ? [] : [`${workload}: ${name} is ${value}, was ${was}`];
    }),
  );

test.each(["gpu", "software"] as const)("on %s nothing of a step is more than it was", (kind) => {
  expect(worse(now[kind] as Counted, then[kind])).toEqual([]);
});

test("what is less stands in docs/counts.json, which npm run counts makes again", async () => {
  await expect(`${JSON.stringify(now, null, 2)}\n`).toMatchFileSnapshot(file.pathname);
});

test("a figure that is larger is named with both numbers", () => {
  expect(worse({ mlp: { dispatches: 11, made: 0 } }, { mlp: { dispatches: 10, made: 0 } })).toEqual([
    "mlp: dispatches is 11, was 10",
  ]);
});
