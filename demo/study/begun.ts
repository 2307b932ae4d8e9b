// What a file of results holds already is not trained again: the next run of the command goes on from it.

import { existsSync, readFileSync } from "node:fs";

interface Kept {
  readonly budget: unknown;
  readonly adapter?: string;
}

/** Why results that are there are not of this study, if they are not; where `now` names no adapter, any may go on. */
export function whyOther(before: Kept, now: Kept): string | undefined {
  if (JSON.stringify(before.budget) !== JSON.stringify(now.budget)) return "it is of another budget";
  if (now.adapter === undefined || before.adapter === now.adapter) return undefined;
  return `it is of ${before.adapter}, this is ${now.adapter}`;
}

/** The results in a file, or if there is none a beginning; an error of one line where they are of another study. */
export function begunIn<Results extends Kept>(
  json: string,
  now: Results,
  whyNot: (before: Results, now: Results) => string | undefined = whyOther,
): Results {
  if (!existsSync(json)) return now;
  const before: Results = JSON.parse(readFileSync(json, "utf8"));
  const why = whyNot(before, now);
  if (why !== undefined) throw new Error(`--json: ${json} holds a study, but ${why}. Give another file, or remove it.`);
  return before;
}
