// The terminal: lines that stay, and the progress of the training. On a terminal that is one line, drawn again and
// again in place; in a file or a log it is a line every few seconds.

import type { Tick } from "./meter.ts";

/** Seconds between two lines of progress in a log. */
const LOG_INTERVAL = 5;
const BAR = { most: 30, least: 6 } as const;

/** What is written to, such as `process.stdout`. */
export interface TextStream {
  /** Whether a line can be written over. Default false. */
  readonly isTTY?: boolean;
  /** Characters in a line of a terminal. */
  readonly columns?: number;
  /** Writes a text as it is. */
  write(text: string): unknown;
}

export interface Size {
  /** NaN where it is not known. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** Of rates and times that are not known yet. */
const UNKNOWN = "?";
/** With three digits that count, or all that stand before the point. */
export const number = (value: number): string =>
  Number.isNaN(value)
    ? UNKNOWN
    : value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
export const percent = (part: number, digits: number): string => `${(100 * part).toFixed(digits)} %`;

/** Where whole epochs are to be made: how many. */
const epochsOf = ({ steps, stepsPerEpoch }: Size): number | undefined =>
  steps % stepsPerEpoch === 0 ? steps / stepsPerEpoch : undefined;

/** As 1:05 or 1:00:05. */
export function duration(seconds: number): string {
  if (Number.isNaN(seconds)) return UNKNOWN;
  const whole = Math.ceil(seconds);
  const two = (value: number): string => `${Math.floor(value) % 60}`.padStart(2, "0");
  return whole < 3600
    ? `${Math.floor(whole / 60)}:${two(whole)}`
    : `${Math.floor(whole / 3600)}:${two(whole / 60)}:${two(whole)}`;
}

const reportsOf = ({ reports }: Tick, digits: number): string[] =>
  Object.entries(reports).map(([name, value]) => `${name} ${value.toFixed(digits)}`);

/** One line of at most `columns` characters. Numbers keep their places, and the bar takes the room that is left. */
export function barLine(tick: Tick, size: Size, columns: number): string {
  const { steps } = size;
  const epochs = epochsOf(size);
  const epoch = epochs === undefined ? "" : `epoch ${`${tick.epoch}`.padStart(`${epochs}`.length)}/${epochs} `;
  const isKnown = !Number.isNaN(steps);
  const facts = [
    isKnown ? ` ${`${tick.step}`.padStart(`${steps}`.length)}/${steps}` : `step ${tick.step}`,
    `loss ${tick.loss.toFixed(3)}`,
    ...reportsOf(tick, 3),
    ...(Number.isNaN(tick.accuracy) ? [] : [`acc ${percent(tick.accuracy, 1).padStart(6)}`]),
    `${number(tick.stepsPerSecond).padStart(5)} steps/s`,
    ...(isKnown ? [`${duration(tick.secondsLeft).padStart(5)} left`] : []),
  ].join("  ");
  const room = Math.min(BAR.most, columns - epoch.length - facts.length);
  if (!isKnown || room < BAR.least) return `${epoch}${facts}`.slice(0, columns);
  const full = Math.floor((room * tick.step) / steps);
  return `${epoch}${"█".repeat(full)}${"░".repeat(room - full)}${facts}`;
}

export function logLine(tick: Tick, size: Size): string {
  const epochs = epochsOf(size);
  const epoch = epochs === undefined ? "" : `epoch ${tick.epoch} of ${epochs}, `;
  const facts = [`loss ${tick.loss.toFixed(4)}`, ...reportsOf(tick, 4)];
  if (!Number.isNaN(tick.accuracy)) facts.push(`accuracy ${percent(tick.accuracy, 1)}`);
  if (!Number.isNaN(tick.stepsPerSecond)) {
    facts.push(`${number(tick.stepsPerSecond)} steps/s`);
    if (!Number.isNaN(tick.secondsLeft)) facts.push(`${duration(tick.secondsLeft)} left`);
  }
  const of = Number.isNaN(size.steps) ? "" : ` of ${number(size.steps)}`;
  return `${epoch}step ${number(tick.step)}${of}: ${facts.join(", ")}`;
}

export type Terminal = ReturnType<typeof openTerminal>;

export function openTerminal(stream: TextStream) {
  const clear = "\r\x1b[K";
  let drawn = "";
  let logged = Number.NEGATIVE_INFINITY;

  const draw = (line: string): void => {
    drawn = line;
    stream.write(clear + line);
  };

  return {
    /** A line that stays; what is in progress moves below it. */
    print(line: string): void {
      if (!stream.isTTY) stream.write(`${line}\n`);
      else {
        stream.write(`${clear}${line}\n`);
        if (drawn !== "") draw(drawn);
      }
    },

    /** What is being done, until the next line of progress or `settle`. In a log it is a line of its own. */
    status(line: string): void {
      if (stream.isTTY) draw(line);
      else stream.write(`${line}\n`);
    },

    progress(tick: Tick, size: Size): void {
      if (stream.isTTY) {
        draw(barLine(tick, size, (stream.columns || 80) - 1));
        return;
      }
      const last = tick.step === size.steps;
      if (!last && performance.now() - logged < LOG_INTERVAL * 1000) return;
      logged = performance.now();
      stream.write(`${logLine(tick, size)}\n`);
    },

    /** Leaves the line in progress as it is, or takes it away. */
    settle({ keep }: { readonly keep: boolean }): void {
      if (stream.isTTY && drawn !== "") stream.write(keep ? "\n" : clear);
      drawn = "";
    },
  };
}
