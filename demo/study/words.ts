// What every study can be asked for on its command line: how much of it, how often, where it trains, and where the results go.

import { prepareFile, readWords, whole } from "../command-line.ts";
import { type Runtime, runtimes } from "../train/place.ts";

interface Study<Name extends string> {
  /** Which study it is, a flag without dashes; none for the study of rates. */
  readonly flag?: string;
  /** What it consists of, in one word, and the names of its parts. */
  readonly part?: string;
  readonly parts: readonly string[];
  /** Where the results go unless --json tells. */
  readonly json: string;
  /** Where it trains unless --runtime tells; a study without it takes no --runtime. */
  readonly runtime?: Runtime;
  /** Of a full study; a quick one has one. */
  readonly seeds: number;
  /** Options with a value that it has beside these. */
  readonly names?: readonly Name[];
}

/** What is asked for now. */
export interface Words {
  /** Names of parts, if some are asked for. */
  readonly only: readonly string[] | undefined;
  readonly quick: boolean;
  readonly seeds: number;
  readonly runtime: Runtime;
  readonly json: string;
  readonly redraw: string | undefined;
  readonly help: boolean;
}

/** Reads them; throws an error of one line where one is unknown or has no valid value. */
export function studyWords<Name extends string = never>(
  words: readonly string[],
  { flag = "quick", part = "task", parts, json: place, runtime: usual, seeds: many, names = [] }: Study<Name>,
): Words & { readonly given: { readonly [name in Name]?: string } } {
  const own = usual === undefined ? [] : (["runtime"] as const);
  const { given, set } = readWords(words, {
    names: ["seeds", "only", "json", "redraw", ...own, ...names],
    flags: [flag, "quick", "help"],
  });
  const { seeds, only: asked, json = place, redraw, runtime = usual ?? "chromium" } = given as Record<string, string>;
  const [help, isQuick] = [set.has("help"), set.has("quick")];
  const only = asked?.split(",");
  const unknown = only?.find((name) => !parts.includes(name));
  const plural = `${part.slice(0, 1).toUpperCase()}${part.slice(1)}s`;
  if (unknown !== undefined)
    throw new Error(`--only: there is no ${part} "${unknown}". ${plural}: ${parts.join(", ")}.`);
  if (!runtimes.includes(runtime as Runtime))
    throw new Error(`--runtime: knows ${runtimes.join(", ")}, not "${runtime}".`);
  if (!json.endsWith(".json")) throw new Error(`--json: the file must end in .json, "${json}" does not.`);
  if (!help && redraw === undefined) prepareFile("--json", json);
  return {
    ...{ only, json, redraw, help, quick: isQuick, runtime: runtime as Runtime },
    seeds: whole("--seeds", seeds ?? `${isQuick ? 1 : many}`, 1, 1000),
    given: given as { [name in Name]?: string },
  };
}
