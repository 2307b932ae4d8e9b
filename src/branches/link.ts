// A timeline as a text that fits into an address: what its trainer was made by, the fits and changes of each line that leads to it, and the
// hash of the weights at its end. Whoever follows it makes the same steps.

import { isBare } from "../foreign/edit-lines.ts";
import { checkOptions } from "../foreign/options.ts";
import { DataError, type Edit, type FitStep, OptionError, type Samples } from "../index.ts";
import { checkWhole } from "./check.ts";
import { fingerprint } from "./fingerprint.ts";
import { Line, type Segment } from "./line.ts";
import { branches, Timeline, type TimelineOptions } from "./timeline.ts";
import type { TimelineTrainer } from "./traveller.ts";

/** Steps of a fit in a link. */
export interface LinkFit {
  /** Updates made before it. */
  readonly from: number;
  /** Updates made at its end. */
  readonly to: number;
  /** Fingerprint of its data. */
  readonly data: string;
  /** As the option of `fit`. */
  readonly shuffle: boolean;
  /** As the option of `fit`. */
  readonly resume: boolean;
}

/** A line of time in a link. */
export interface LinkLine {
  /** Updates made where it leaves the line before it; 0 of the first. */
  readonly from: number;
  /** Updates made where it ends. */
  readonly to: number;
  /** In the order in which they were made. */
  readonly fits: readonly LinkFit[];
  /** All changes from step 0 on. */
  readonly edits: readonly Edit[];
}

/** What a link says. */
export interface Link {
  /** What whoever made the link gave to make a trainer by, as JSON: settings of a page, say. */
  readonly recipe: unknown;
  /** Hash of the weights before the first step. */
  readonly start: string;
  /** The first line, and each branch on the way to the last. */
  readonly lines: readonly LinkLine[];
  /** Hash of the weights at the end of the last line. */
  readonly hash: string;
}

/** Options of `follow`. */
export interface FollowOptions extends TimelineOptions {
  /** Hears of each step, and on which of the link's lines it is. A promise is awaited. */
  readonly onStep?: (step: FitStep, line: number) => unknown;
}

/** Where a link has led. */
export interface Followed {
  /** The last line; those before it are its parents. */
  readonly timeline: Timeline;
  /** Whether its weights have the hash of the link. They have on the same adapter, driver and browser; others may round otherwise. */
  readonly same: boolean;
}

const FORMAT = 1;

/**
 * A timeline as a text of the letters of an address, with all that it left and a hash; `recipe` is plain JSON by which the page that opens it
 * makes the trainer. Throws OptionError where the timeline does not begin at step 0, and for a schedule that is a bare function.
 *
 * @example
 * location.hash = await linkTo(timeline, { seed: 7, units: 32 });
 */
export async function linkTo(timeline: Timeline, recipe: unknown = {}): Promise<string> {
  const place = "linkTo";
  if (!(timeline instanceof Timeline))
    throw new OptionError(`${place}: it was given no timeline. Give what branches gives.`);
  const { traveller } = timeline;
  const chain: Timeline[] = [];
  for (let one: Timeline | undefined = timeline; one !== undefined; one = one.parent) chain.unshift(one);
  const first = (chain[0] as Timeline).line;
  if (first.start !== 0) {
    throw new OptionError(
      `${place}: the timeline begins after step ${first.start}, from weights that no link holds. Begin it before step 1, or save a checkpoint.`,
    );
  }
  const lines = chain.map(
    (one): LinkLine => ({
      from: one.start,
      to: one.steps,
      fits: one.line.segments.map(({ data: _, print, ...rest }) => ({ ...rest, data: print })),
      edits: one.edits(),
    }),
  );
  const bare = lines.flatMap(({ edits }) => edits).find(isBare);
  if (bare !== undefined) {
    throw new OptionError(
      `${place}: the change of "${bare.pattern}" at step ${bare.step} has a schedule of your own, which cannot cross a link. Give one of gradus.`,
    );
  }
  const said = JSON.stringify(recipe, (key, value) => {
    if (["function", "symbol", "bigint"].includes(typeof value)) {
      throw new OptionError(
        `${place}: "${key}" of the recipe is a ${typeof value}, which cannot cross a link. Give plain JSON.`,
      );
    }
    return value;
  });
  return traveller.alone(place, async () => {
    const start = await traveller.hash(place, first, 0);
    const hash = await traveller.hash(place, timeline.line, timeline.steps);
    const text = JSON.stringify({ format: FORMAT, recipe: JSON.parse(said ?? "null"), start, lines, hash });
    const letters = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
    return btoa(letters).replace(/[+/=]/g, (one) => ({ "+": "-", "/": "_" })[one] ?? "");
  });
}

/** What a link says, whatever text it is. Throws OptionError for one that `linkTo` did not write. */
export function readLink(text: string): Link {
  const place = "readLink";
  let said: unknown;
  try {
    const letters = atob(String(text).replace(/[-_]/g, (one) => (one === "-" ? "+" : "/")));
    said = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(letters, (one) => one.charCodeAt(0))),
    );
  } catch (cause) {
    throw new OptionError(`${place}: it is no link of a timeline, or a part of it is missing. Copy all of it.`, {
      cause,
    });
  }
  const { format, recipe, start, lines, hash } = Object(said) as Link & { readonly format: unknown };
  if (format !== FORMAT) {
    throw new OptionError(
      `${place}: its format is ${String(format)}, this version reads ${FORMAT}. Make the link anew.`,
    );
  }
  if (!isHash(start) || !isHash(hash) || !Array.isArray(lines) || lines.length === 0) broken("its hashes or lines");
  let end = 0;
  for (const [i, { from, to, fits, edits }] of lines.map(Object).entries()) {
    if (!isCount(from) || !isCount(to) || from > to || from > end || (i === 0 && from > 0))
      broken(`the steps of line ${i}`);
    if (!Array.isArray(fits) || !Array.isArray(edits)) broken(`line ${i}`);
    end = 0;
    for (const one of fits.map(Object) as LinkFit[]) {
      const valid = one.from === end && isCount(one.to) && one.to > end && isHash(one.data);
      if (!valid || typeof one.shuffle !== "boolean" || typeof one.resume !== "boolean") broken(`a fit of line ${i}`);
      end = one.to;
    }
    if (end !== to) broken(`the end of line ${i}`);
  }
  return { recipe, start, lines, hash };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{16}$/.test(value);

function broken(what: string): never {
  throw new OptionError(`readLink: ${what} cannot be read. Copy all of the link.`);
}

/**
 * Makes all steps that a link tells of, on a new trainer that was compiled by its recipe: the first line, then each branch. `data` are the
 * samples of its fits, in any order. It may be stopped by `trainer.stop()`, and ends there. Throws OptionError for a trainer that begins with other
 * weights, DataError for other data, and what `fit` throws.
 *
 * @example
 * const { timeline, same } = await follow(trainer, readLink(location.hash.slice(1)), { x, y });
 */
export async function follow(
  trainer: TimelineTrainer,
  link: Link,
  data: Samples | readonly Samples[],
  options: FollowOptions = {},
): Promise<Followed> {
  const place = "follow";
  checkOptions(place, options, { every: "a whole number of at least 1", onStep: "a function" });
  const { onStep, ...rest } = options;
  checkWhole(`${place}: steps of the trainer`, trainer.steps, 0);
  if (trainer.steps > 0) {
    throw new OptionError(
      `${place}: the trainer has made ${trainer.steps} steps, and a link begins at 0. Compile another one.`,
    );
  }
  const { lines, start, hash } = link;
  const given = new Map((Array.isArray(data) ? data : [data]).map((one: Samples) => [fingerprint(one), one] as const));
  const segmentsOf = ({ fits }: LinkLine): Segment[] =>
    fits.map(({ data: print, ...fit }) => {
      const own = given.get(print);
      if (own !== undefined) return { ...fit, print, data: own };
      throw new DataError(
        `${place}: the data of steps ${fit.from + 1} to ${fit.to} had fingerprint ${print}, and those given have ${[...given.keys()].join(", ")}. Give the data that the link was made with.`,
      );
    });
  const segments = lines.map(segmentsOf);
  let timeline = await branches(trainer, rest);
  const { traveller } = timeline;
  return traveller.alone(place, async () => {
    const here = await traveller.hash(place, timeline.line, 0);
    if (here !== start) {
      throw new OptionError(
        `${place}: the trainer begins with weights ${here}, the link with ${start}. Compile it by the link's recipe: the same model and seed.`,
      );
    }
    for (const [i, { from, to, edits }] of lines.entries()) {
      const line = i === 0 ? timeline.line : new Line(timeline.line, from);
      const plan = { to, segments: segments[i] as readonly Segment[], edits };
      const replayed = await traveller.explore(place, line, plan, (step) => onStep?.(step, i));
      timeline = i === 0 ? timeline : new Timeline(traveller, line, timeline, replayed);
      if (line.end < to) return { timeline, same: false };
    }
    return { timeline, same: (await traveller.hash(place, timeline.line, timeline.steps)) === hash };
  });
}
