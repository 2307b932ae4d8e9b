// Bad use of what stands around the update, and what Gradus says to it, before anything is allocated.

import { expect, test } from "vitest";
import {
  type CompileOptions,
  guard,
  hypergradient,
  lion,
  lossPlateau,
  OptionError,
  oneCycleMomentum,
  rmsprop,
  sgd,
  updateRatio,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { samples, small } from "./small.ts";

const wrong = (options: object): Partial<CompileOptions> => options;
const bad: Record<string, () => Partial<CompileOptions>> = {
  "clip by nothing": () => wrong({ clip: {} }),
  "clip twice": () => wrong({ clip: { norm: 1, value: 1 } }),
  "clip by a word": () => wrong({ clip: { norms: 1 } }),
  "clip by 0": () => ({ clip: { layerNorm: 0 } }),
  "clip by a number": () => wrong({ clip: 1 }),
  "accumulate 0": () => ({ accumulate: 0 }),
  "averaging beyond 1": () => ({ averaging: 1.5 }),
  "averaging below 0": () => ({ averaging: -0.1 }),
  "averaging of a layer": () => ({ rates: { head: { averaging: 2 } } }),
  "two guards": () => ({ control: [guard(), guard({ layers: "head" })] }),
  "one guard, not in a list": () => wrong({ control: guard() }),
  "a list of something else": () => wrong({ control: [guard] }),
  "hypergradient with lion": () => ({ control: [hypergradient()], rates: { head: { optimizer: lion() } } }),
  "hypergradient without momentum": () => ({ control: [hypergradient()], optimizer: sgd() }),
  "an unknown layer": () => ({ control: [updateRatio({ layers: "haed" })] }),
  "a pattern that is none": () => ({ control: [lossPlateau({ layers: "the head" })] }),
  "a momentum that nobody has": () => ({ momentum: oneCycleMomentum({ steps: 9 }), optimizer: sgd() }),
  "momentum of rmsprop without": () => ({ momentum: () => 0.5, optimizer: rmsprop() }),
  "momentum as a number": () => wrong({ momentum: 0.9 }),
  "a guard that always alarms": () => ({ control: [guard({ factor: 0.5 })] }),
  "min above max": () => ({ control: [updateRatio({ min: 2, max: 1 })] }),
};

test("options that are refused", () =>
  guarded(async (device) => {
    const told: Record<string, string> = {};
    for (const [name, options] of Object.entries(bad)) {
      try {
        await small(device, options());
        told[name] = "nothing was thrown";
      } catch (error) {
        told[name] = String(error);
      }
    }
    expect(told).toMatchInlineSnapshot(`
      {
        "a guard that always alarms": "OptionError: guard: factor is 0.5, it must be greater than 1.",
        "a list of something else": "OptionError: compile: "control" is no list of controllers. Give for example [guard(), updateRatio({ layers: "body" })].",
        "a momentum that nobody has": "OptionError: compile: "momentum" moves a momentum, and sgd has none that a schedule may move. Use sgd({ momentum }), rmsprop({ momentum }), adam, adamw, adamax, radam, lion, lars or lamb.",
        "a pattern that is none": "OptionError: lossPlateau: "the head" is no pattern. Use a path such as "head", "blocks.*.norm" or "**.bias".",
        "accumulate 0": "OptionError: compile: accumulate is 0, it must be a whole number of at least 1.",
        "an unknown layer": "NameError: updateRatio: "haed" matches no layer. Did you mean "head"? Layers: stem.0, body.0, head.",
        "averaging below 0": "OptionError: compile: averaging is -0.1, it must be from 0 to 1.",
        "averaging beyond 1": "OptionError: compile: averaging is 1.5, it must be from 0 to 1.",
        "averaging of a layer": "OptionError: rates "head": averaging is 2, it must be from 0 to 1.",
        "clip by 0": "OptionError: compile: clip is {"layerNorm":0}. Give one of { norm }, { layerNorm } and { value }, a finite number greater than 0.",
        "clip by a number": "OptionError: compile: clip is 1. Give one of { norm }, { layerNorm } and { value }, a finite number greater than 0.",
        "clip by a word": "OptionError: compile: clip is {"norms":1}. Give one of { norm }, { layerNorm } and { value }, a finite number greater than 0.",
        "clip by nothing": "OptionError: compile: clip is {}. Give one of { norm }, { layerNorm } and { value }, a finite number greater than 0.",
        "clip twice": "OptionError: compile: clip is {"norm":1,"value":1}. Give one of { norm }, { layerNorm } and { value }, a finite number greater than 0.",
        "hypergradient with lion": "OptionError: hypergradient: "head.weight" has lion, which does not keep where it last went. Use sgd with momentum, adam or adamw there, or leave it out with { layers }.",
        "hypergradient without momentum": "OptionError: hypergradient: "stem.0.weight" has sgd, which does not keep where it last went. Use sgd with momentum, adam or adamw there, or leave it out with { layers }.",
        "min above max": "OptionError: updateRatio: min is 2 and max is 1. Give min below max.",
        "momentum as a number": "OptionError: compile: momentum is 0.9, it must be a function.",
        "momentum of rmsprop without": "OptionError: compile: "momentum" moves a momentum, and rmsprop has none that a schedule may move. Use sgd({ momentum }), rmsprop({ momentum }), adam, adamw, adamax, radam, lion, lars or lamb.",
        "one guard, not in a list": "OptionError: compile: "control" is no list of controllers. Give for example [guard(), updateRatio({ layers: "body" })].",
        "two guards": "OptionError: compile: "control" has guard twice. Give it once.",
      }
    `);
  }));

test("a momentum out of range, and one in epochs on data of unknown length, before a weight changes", () =>
  guarded(async (device) => {
    const data = samples(16);
    const high = await small(device, { momentum: () => 1 });
    const lost = await small(device, { momentum: oneCycleMomentum({ epochs: 2 }) });
    const told: string[] = [];
    for (const [trainer, given] of [
      [high, data] as const,
      [lost, [data].map(({ x, y }) => ({ x: x.slice(0, 48), y: y.slice(0, 8) }))] as const,
    ]) {
      const before = await trainer.save();
      for (const run of [
        () => trainer.fit(given),
        () => trainer.step({ x: data.x.slice(0, 48), y: data.y.slice(0, 8) }),
      ]) {
        const error = await run().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(OptionError);
        told.push((error as Error).message);
      }
      const error = await trainer.applyGradients({ "head.bias": [1, 1] }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OptionError);
      expect(trainer.steps).toBe(0);
      expect(await trainer.save()).toEqual(before);
    }
    expect(told).toMatchInlineSnapshot(`
      [
        "momentum: at step 1 the schedule gives 1, it must be at least 0 and below 1.",
        "momentum: at step 1 the schedule gives 1, it must be at least 0 and below 1.",
        "oneCycleMomentum: epochs cannot be counted, since the data has no known length. Give steps instead.",
        "oneCycleMomentum: epochs cannot be counted, since the data has no known length. Give steps instead.",
      ]
    `);
    await expect(high.fit(data, { statsEvery: 0 })).rejects.toThrow("statsEvery");
  }));
