// Devices that are really lost, by number: the browser's GPU process ends in the midst of a fit, and with it the devices of all pages. The fit gives what
// it gives where nothing is lost, and so does a prediction that was asked for meanwhile.

import { stream, uniform } from "../../../src/random.ts";
import { compileRecoverable } from "../../../src/recover/index.ts";
import { data, type SetupName, setups, textOf } from "./calls.ts";
import type { Loss } from "./losses.ts";
import { judge } from "./walk.ts";

declare global {
  /** Ends the GPU process; given by whoever opened this page. */
  var crash: () => Promise<void>;
}

const EPOCHS = 6;

/** A fit whose GPU process ends behind one of its steps, where one is given; also how many it made, and how many devices took another's place. */
async function fitted(setup: SetupName, at?: number) {
  const { model, settings } = setups[setup];
  let recovered = 0;
  const trainer = await compileRecoverable(model, settings, { everySteps: 4, onRecover: () => recovered++ });
  try {
    const steps: unknown[] = [];
    let beside: Promise<unknown> | undefined;
    await trainer.fit(data, {
      epochs: EPOCHS,
      onStep({ step, loss, accuracy }) {
        steps.push([step, loss, accuracy]);
        if (step !== at) return undefined;
        beside = trainer.predict(data.x);
        return crash();
      },
    });
    await beside;
    return { text: textOf([steps, await trainer.predict(data.x), await trainer.save()]), of: steps.length, recovered };
  } finally {
    trainer.dispose();
  }
}

export async function crashOnce(number: number): Promise<Loss> {
  const random = stream(number, "crash");
  const pick = <T>(i: number, of: readonly T[]): T => of[Math.floor(uniform(random, i) * of.length)] as T;
  const setup = pick(0, Object.keys(setups) as SetupName[]);
  const { text, of } = await fitted(setup);
  const at = 1 + Math.floor(uniform(random, 1) * of);
  let recovered = 0;
  const found = await judge(async () => {
    const one = await fitted(setup, at);
    recovered = one.recovered;
    return one.text;
  }, text);
  const was = found.was === "same" && recovered === 0 ? "silent" : found.was;
  return { ...{ number, setup, call: "fit", at, of, after: 0, recovered }, ...found, was };
}
