// npm run kills: ends writers of checkpoints at some point of a write, again and again in each place, and counts what was left: the old
// one, the new one, or anything else.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { prepareFile, readWords, whole } from "../../demo/command-line.ts";
import { commit } from "../../demo/origin.ts";
import { isWhole, type Kill, killWhileWriting, type Place, places } from "./kill.ts";

const help = `npm run kills -- [options]
  --kills N     in each place (default: 200)
  --only NAMES  comma separated, of ${places.join(", ")} (default: all)
  --json FILE   where the figures go, beside those of places that do not run (default: nowhere)
  --help        this text

A writer is a process, or a browser, that saves one checkpoint after the other and is ended without a word. What is there afterwards has to be
the last one of which it told, or a newer one, and all of it. Ctrl-C stops.`;

/** What was left in a place. */
interface Left {
  readonly kills: number;
  readonly old: number;
  readonly new: number;
  readonly other: number;
}

const leftOf = (all: readonly Kill[]): Left => {
  const old = all.filter(({ written, found }) => found === written).length;
  const other = all.filter((kill) => !isWhole(kill)).length;
  return { kills: all.length, old, new: all.length - old - other, other };
};

async function run(words: readonly string[]): Promise<number> {
  const { given, set } = readWords(words, { names: ["kills", "only", "json"], flags: ["help"] });
  if (set.has("help")) {
    console.log(help);
    return 0;
  }
  const kills = whole("--kills", given.kills ?? "200", 1);
  const chosen = (given.only ?? places.join()).split(",");
  const odd = chosen.find((name) => !places.some((place) => place === name));
  if (odd !== undefined) throw new Error(`--only: there is no place "${odd}". Give some of ${places.join(", ")}.`);
  const { json } = given;
  if (json !== undefined) prepareFile("--json", json);
  let failed = false;
  for (const place of chosen as Place[]) {
    const all: Kill[] = [];
    await killWhileWriting(place, kills, (kill) => {
      all.push(kill);
      if (!isWhole(kill)) console.error(`${place}: ${kill.written} was written, and there is ${kill.found}`);
      if (all.length % 20 === 0) console.error(`${place}: ${all.length} of ${kills}`);
    });
    const left = leftOf(all);
    console.log(`${place}: ${left.kills} kills left ${left.old} old ones, ${left.new} new ones, ${left.other} others`);
    failed ||= left.other > 0;
    if (json === undefined) continue;
    const before = existsSync(json) ? JSON.parse(readFileSync(json, "utf8")) : {};
    writeFileSync(
      json,
      `${JSON.stringify({ ...before, [place]: { date: new Date().toISOString(), commit: commit(), ...left } }, null, 2)}\n`,
    );
  }
  return failed ? 1 : 0;
}

process.exitCode = await run(process.argv.slice(2)).catch((error: Error) => {
  console.error(`kills: ${error.message.split("\n")[0]}`);
  return 2;
});
