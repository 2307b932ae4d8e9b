// Calls with one thing wrong, as a user without types may make them: each place of each call, with the kind of value that it
// should have. Every one must be refused by a typed error, with nothing changed.

import { freezing } from "./door.ts";
import { oddsOf, type Place } from "./odd.ts";
import type { World } from "./trial.ts";

type Data = { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> };
// biome-ignore lint/suspicious/noExplicitAny: what a user without types may write.
type Any = any;
type Use = (trainer: Any, odd: Any, data: Data, world: World) => unknown;

/** Numbers with an odd one among them. */
const among = (numbers: ArrayLike<number>, odd: unknown): unknown[] => [odd, ...Array.from(numbers).slice(1)];
const firstName = ({ reference }: World): string => reference.tensors[0]?.name ?? "";
const firstLayer = ({ reference }: World): string => reference.table.tensors[0]?.home || "**";
const zeros = ({ reference }: World): number[] => Array.from(reference.tensors[0]?.arrays[0] ?? [], () => 0);

const samplesOf = (call: string, use: (trainer: Any, data: Any) => unknown): [string, Place, Use][] => [
  [`${call}: data`, "samples", (t, odd) => use(t, odd)],
  [`${call}: data.x`, "numbers", (t, odd, { y }) => use(t, { x: odd, y })],
  [`${call}: data.y`, "numbers", (t, odd, { x }) => use(t, { x, y: odd })],
  [`${call}: a number of x`, "number", (t, odd, { x, y }) => use(t, { x: among(x, odd), y })],
  [
    `${call}: a number of y`,
    "label",
    (t, odd, { x, y }) =>
      use(t, { x, y: among(y, typeof odd === "number" && Number.isFinite(odd) ? Number.NaN : odd) }),
  ],
  [`${call}: mean`, "number", (t, odd, data) => use(t, { ...data, mean: odd })],
  [`${call}: std`, "size", (t, odd, data) => use(t, { ...data, std: odd })],
  [`${call}: x one number short`, "count", (t, _, { x, y }) => use(t, { x: Array.from(x).slice(1), y })],
  [`${call}: y one number short`, "count", (t, _, { x, y }) => use(t, { x, y: Array.from(y).slice(1) })],
];

const optionOf = (
  call: string,
  use: (trainer: Any, data: Data, options: Any, world: World) => unknown,
  options: Readonly<Record<string, Place>>,
): [string, Place, Use][] => [
  ...Object.entries(options).map(([key, place]): [string, Place, Use] => [
    `${call}: ${key}`,
    place,
    (t, odd, data, world) => use(t, data, { [key]: odd }, world),
  ]),
  [`${call}: options`, "options", (t, odd, data, world) => use(t, data, odd, world)],
  [
    `${call}: an option that does not exist`,
    "count",
    (t, odd, data, world) => use(t, data, { noSuchOption: odd }, world),
  ],
];

const named = (call: string, use: (trainer: Any, record: Any) => unknown): [string, Place, Use][] => [
  [`${call}: record`, "record", (t, odd) => use(t, odd)],
  [`${call}: numbers`, "numbers", (t, odd, _, world) => use(t, { [firstName(world)]: odd })],
  [`${call}: a number`, "number", (t, odd, _, world) => use(t, { [firstName(world)]: among(zeros(world), odd) })],
  [`${call}: a name`, "count", (t, _, __, world) => use(t, { nobody: zeros(world) })],
];

const places: readonly [string, Place, Use][] = [
  ...samplesOf("fit", (t, data) => t.fit(data)),
  ...samplesOf("step", (t, data) => t.step(data)),
  ...samplesOf("evaluate", (t, data) => t.evaluate(data)),
  ...samplesOf("gradients", (t, data) => t.gradients(data)),
  ["predict: x", "numbers", (t, odd) => t.predict(odd)],
  ["predict: a number of x", "number", (t, odd, { x }) => t.predict(among(x, odd))],
  ["predict: x one number short", "count", (t, _, { x }) => t.predict(Array.from(x).slice(1))],
  ...optionOf("fit", (t, data, options) => t.fit(data, options), {
    epochs: "endless",
    steps: "count",
    resume: "switch",
    lockstep: "switch",
    statsEvery: "count",
    shuffle: "switch",
    onStep: "callback",
    onEpoch: "callback",
    onStats: "callback",
    validation: "samples",
    signal: "signal",
  }),
  ...optionOf("evaluate", (t, data, options) => t.evaluate(data, options), { averaged: "switch" }),
  ...optionOf("predict", (t, { x }, options) => t.predict(x, options), {
    averaged: "switch",
    argmax: "switch",
    mean: "number",
    std: "size",
  }),
  ...optionOf("findRate", (t, data, options) => t.findRate(data, options), {
    lo: "size",
    hi: "size",
    steps: "count",
    layers: "pattern",
  }),
  ...optionOf("fineTune", (t, data, options) => t.fineTune(data, options), {
    epochs: "count",
    headEpochs: "count",
    lr: "size",
  }),
  ...named("setWeights", (t, record) => t.setWeights(record)),
  ...named("applyGradients", (t, record) => t.applyGradients(record)),
  ["transfer: source", "bytes", (t, odd) => t.transfer(odd)],
  ["load: bytes", "bytes", (t, odd) => t.load(odd)],
  ...optionOf("load", (t, _, options, world) => t.load(world.bytes, options), { allow: "log" }),
  ...optionOf("save", (t, _, options) => t.save(options), { only: "count" }),
  ["recording: mode", "count", (t, odd) => t.recording(odd)],
  ["rates.set: pattern", "pattern", (t, odd) => t.rates.set(odd, 0.01)],
  ["rates.set: rule", "rule", (t, odd, _, world) => t.rates.set(firstLayer(world), odd)],
  ...optionOf("rates.set", (t, _, rule, world) => t.rates.set(firstLayer(world), rule), {
    lr: "size",
    multiplier: "size",
    weightDecay: "size",
    averaging: "count",
    frozen: "switch",
    from: "count",
    until: "count",
    schedule: "schedule",
    optimizer: "count",
  }).filter(([name]) => !name.endsWith(": options")),
  ["freeze: pattern", "pattern", (t, odd) => freezing(t).freeze(odd)],
  ["unfreeze: pattern", "pattern", (t, odd) => freezing(t).unfreeze(odd)],
  ["rates.assign: pattern", "pattern", (t, odd, _, world) => t.rates.assign(odd, firstLayer(world))],
  ["rates.assign: layer", "pattern", (t, odd) => t.rates.assign("**", odd)],
  ["rates.scale: pattern", "pattern", (t, odd) => t.rates.scale(odd, 0.5)],
  ["rates.scale: factor", "size", (t, odd) => t.rates.scale("**", odd)],
  ...optionOf("rates.scale", (t, _, options) => t.rates.scale("**", 0.5, options), { floor: "size", eps: "size" }),
  ["rates.replay: log", "log", (t, odd) => t.rates.replay(odd)],
];

export const bads = places.map(([name, place, use]) => ({
  name,
  odds: oddsOf(place),
  use: (world: World, odd: unknown, data: Data) => use(world.trainer, odd, data, world),
}));
