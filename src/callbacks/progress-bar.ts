// How a fit gets on, for people: ProgbarLogger of Keras. On a terminal a bar that is drawn again in place, elsewhere plain lines.

import { checkOptions } from "../foreign/options.ts";
import { runtime } from "../foreign/runtime.ts";
import type { FitStep } from "../index.ts";
import type { Callback, Run } from "./callback.ts";
import { logsOf } from "./logs.ts";
import { createMeter, type Meter, type Tick } from "./meter.ts";
import { logLine, number, openTerminal, percent, type Size, type TextStream } from "./terminal.ts";

/** Options of `progressBar`. */
export interface ProgressBarOptions {
  /** Where it goes. Default: the standard output of Node and Deno, in a page its console. */
  readonly to?: TextStream;
  /** Seconds between two drawings of the bar, or two lines of progress. Default 0.1 on a terminal, else 5. */
  readonly seconds?: number;
}

/**
 * A line for each epoch with all its numbers, and progress within it: on a terminal a bar with smoothed numbers, speed and time left, else a line
 * every few seconds, without escape codes. Where the length of an epoch is not known, as of the first one of a stream, steps are counted
 * alone. Throws OptionError.
 */
export function progressBar(options: ProgressBarOptions = {}): Callback {
  checkOptions("progressBar", options, { to: "anything", seconds: "a finite number of at least 0" });
  const { to, seconds } = options;
  return (run) => {
    const stream = to ?? standardOutput();
    const terminal = openTerminal(stream);
    const isTerminal = stream.isTTY === true;
    const pace = 1000 * (seconds ?? (isTerminal ? 0.1 : 5));
    let size: Size | undefined;
    let meter: Meter | undefined;
    let timed = false;
    let made = 0;
    let inEpoch = 0;
    let shown = performance.now();

    return {
      onStep(step) {
        if (size === undefined || meter === undefined) {
          size = sizeOf(run, step.samples);
          meter = createMeter(size);
          made = (step.epoch - 1) * size.stepsPerEpoch || 0;
        }
        inEpoch++;
        const tick: Tick = { ...meter.add({ ...step, step: ++made }), epoch: step.epoch };
        // The first step of an epoch has the evaluation before it, that of a fit the compiler.
        if (!timed) meter.begin();
        timed = true;
        if (performance.now() - shown < pace) return;
        shown = performance.now();
        if (isTerminal) terminal.progress(tick, size);
        else stream.write(`${logLine(tick, size)}\n`);
      },
      onEpoch(epoch) {
        meter?.end();
        timed = false;
        const all = run.epochs === undefined ? "" : ` of ${run.epochs}`;
        const numbers = Object.entries(logsOf(epoch)).map(([name, value]) => `${name} ${figure(name, value)}`);
        const { stepsPerSecond = Number.NaN } = meter?.summary() ?? {};
        const speed = Number.isNaN(stepsPerSecond) ? [] : [`${number(stepsPerSecond)} steps/s`];
        terminal.print(`epoch ${epoch.epoch}${all}: ${[...numbers, ...speed].join(", ")}`);
        // What an epoch has is known now, if it was not before.
        if (size !== undefined && run.epochs !== undefined && Number.isNaN(size.stepsPerEpoch)) {
          size = { steps: run.steps ?? run.epochs * inEpoch, stepsPerEpoch: inEpoch };
          meter = createMeter(size);
        }
        if (size !== undefined && !Number.isNaN(size.stepsPerEpoch)) made = epoch.epoch * size.stepsPerEpoch;
        inEpoch = 0;
      },
      onClose: () => terminal.settle({ keep: false }),
    };
  };
}

const figure = (name: string, value: number): string =>
  /accuracy$/.test(name) ? percent(value, 1) : Math.abs(value) < 1e-3 ? value.toPrecision(4) : value.toFixed(4);

/** Steps of the fit, and of an epoch, where the samples of an update are known. */
function sizeOf({ samples, epochs, steps }: Run, perStep: FitStep["samples"]): Size {
  const stepsPerEpoch = samples === undefined ? Number.NaN : Math.ceil(samples / perStep);
  return { steps: steps ?? (epochs === undefined ? Number.NaN : epochs * stepsPerEpoch), stepsPerEpoch };
}

function standardOutput(): TextStream {
  const stdout = runtime()?.stdout;
  if (typeof stdout?.write === "function") return stdout;
  return { write: (text) => console.log(text.trimEnd()) };
}
