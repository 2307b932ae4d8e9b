// JSON that nobody in good faith wrote is refused where JSON.parse lets it pass: a key that stands twice in an object, and
// depth that only costs memory. And one text for equal values, whatever the order of their keys.

import { CheckpointError } from "../errors.ts";

/** Reads a text. `fail` gets what is wrong, as the end of "it ...", and throws a CheckpointError. */
export function parseJson(text: string, mostDepth: number, fail: (what: string) => never): unknown {
  try {
    checkKeys(text, mostDepth, fail);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    return fail("is no JSON");
  }
}

/** Keys sorted, what is undefined left out, and numbers that JSON cannot write as their names. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part) => {
    if (typeof part === "number" && !Number.isFinite(part)) return String(part);
    return isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part;
  }) ?? "undefined";

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function checkKeys(json: string, mostDepth: number, fail: (what: string) => never): void {
  const open: (Set<string> | undefined)[] = [];
  const colon = /\s*:/y;
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (sign === "{" || sign === "[") {
      if (open.push(sign === "{" ? new Set() : undefined) > mostDepth) fail("is nested too deeply");
    } else if (sign === "}" || sign === "]") {
      open.pop();
    } else if (sign === '"') {
      const start = at;
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === "\\") at++;
      colon.lastIndex = at + 1;
      const keys = open.at(-1);
      if (keys === undefined || !colon.test(json)) continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      if (keys.has(key)) fail(`names "${key}" twice`);
      keys.add(key);
    }
  }
}
