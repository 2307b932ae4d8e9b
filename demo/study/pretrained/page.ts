// Runs where the study trains: reads the networks once and fine-tunes them when demo/study/pretrained/main.ts asks for it. All runs share a
// device, which knows their pipelines after the first.

import { halving, race } from "../../../src/cohort/index.ts";
import {
  adamw,
  type CompileOptions,
  compile,
  cosineAnnealingLR,
  crossEntropy,
  NonFiniteError,
} from "../../../src/index.ts";
import { sharedDevice } from "../../page/shared-device.ts";
import type { Files } from "../adapters/networks.ts";
import { type Judge, type Network, networks } from "./networks.ts";
import { copiesOf, type Opened, type Request, type Task, type TaskName, type Tuned, type WayName } from "./plan.ts";
import { wayOf } from "./ways.ts";

declare global {
  /** What demo/study/pretrained/main.ts calls here. */
  var openPretrained: (task: Task, files: Files) => Promise<Opened>;
  var tunePretrained: (request: Request) => Promise<Tuned>;
}

const opened = new Map<TaskName, Network>();

const shared = async (): Promise<Pick<CompileOptions, "device" | "loss">> => {
  const device = await sharedDevice();
  return { ...(device && { device }), loss: crossEntropy() };
};

const judge: Judge = async (model, options, use) => {
  const trainer = await compile(model, { ...(await shared()), ...options });
  try {
    return await use(trainer);
  } finally {
    trainer.dispose();
  }
};

globalThis.openPretrained = async (task, files) => {
  const network = await networks[task.name](files);
  const { within, ...known } = await network.known(judge);
  if (!(Math.abs(known.found - known.published) <= within))
    throw new Error(
      `${task.title}: ${known.what}: ${known.found}, ${known.published} was published. It is not read as it is.`,
    );
  const held = network.held("test", task.test);
  const { model, input, weights } = network;
  const told = await judge(model, { input, weights, batch: task.batch }, (trainer) => trainer.evaluate(held));
  opened.set(task.name, network);
  return {
    known,
    untuned: network.figureOf(told, held),
    rival: (await network.rival?.(judge, held)) ?? null,
  };
};

/** What all ways of a task have in common. */
const common = async ({ task: { steps, batch }, seed }: Request, { input, weights }: Network) => ({
  ...(await shared()),
  ...{ input, weights, batch, seed },
  schedule: cosineAnnealingLR({ steps }),
});
const optimizer = (lr?: number) => adamw({ ...(lr !== undefined && { lr }), weightDecay: 0.01 });

globalThis.tunePretrained = async (request) => {
  const network = opened.get(request.task.name);
  if (network === undefined) throw new Error(`${request.task.name}: not opened yet.`);
  try {
    return await (request.way === "race" ? raced(request, network) : tuned(request, request.way, network));
  } catch (error) {
    if (error instanceof NonFiniteError) return { figure: null, seconds: 0 };
    throw error;
  }
};

/** To the hundredth. */
const secondsSince = (since: number): number => Math.round((performance.now() - since) / 10) / 100;

async function tuned(request: Request, way: Exclude<WayName, "race">, network: Network): Promise<Tuned> {
  const { task, rate, seed, part } = request;
  const { model = network.model, ...rates } = wayOf(way, task, network);
  const samples = await network.learnt(task, seed, part);
  const since = performance.now();
  const trainer = await compile(model, {
    ...(await common(request, network)),
    ...rates,
    optimizer: optimizer(rate as number),
  });
  try {
    await trainer.fit(samples, { steps: task.steps, epochs: task.steps });
    const seconds = secondsSince(since);
    const held = network.held(part, task[part]);
    return { figure: network.figureOf(await trainer.evaluate(held), held), seconds };
  } finally {
    trainer.dispose();
  }
}

/** Rates are drawn from those that other ways try, for the first layer, the head, and what lies between. */
async function raced(request: Request, network: Network): Promise<Tuned> {
  const { task, seed, part, rungs } = request;
  const range = [Math.min(...task.rates), Math.max(...task.rates)] as const;
  const ends = [task.groups[0], task.groups.at(-1)].map((group) => group?.[0] as string);
  const [judged, held] = [network.held("validation", task.validation), network.held(part, task[part])];
  const samples = await network.learnt(task, seed, "validation");
  const since = performance.now();
  const { cohort, winner } = await race(network.model, samples, {
    ...(await common(request, network)),
    optimizer: optimizer(),
    ...{ copies: copiesOf(task), steps: task.steps, rule: halving({ rungs }) },
    rates: [
      ["**", range],
      ...ends.map((layer) => [layer, range] as const),
      ...(task.rest === undefined ? [] : [[task.rest, { frozen: true }] as const]),
    ],
    validation: judged,
    by: task.figure === "accuracy" ? "accuracy" : "loss",
  });
  const seconds = secondsSince(since);
  try {
    const told = (await cohort.evaluate(held))[winner] as Parameters<Network["figureOf"]>[0];
    return { figure: network.figureOf(told, held), seconds };
  } finally {
    cohort.dispose();
  }
}
