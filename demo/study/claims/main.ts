// npm run study -- --claims: what is said of learning rates, asked of trainings. What the file of results holds already does not run again.

import { readFileSync, writeFileSync } from "node:fs";
import { runtimes } from "../../train/place.ts";
import { begunIn } from "../begun.ts";
import { begin, drawn, runStudy, terminal } from "../command.ts";
import { withCalls } from "../place.ts";
import { createProgress } from "../progress.ts";
import { jsonOf } from "../report.ts";
import { studyWords, type Words } from "../words.ts";
import { type Answer, type Asked, type Budget, full, type Question, questions, quick } from "./plan.ts";
import { plot } from "./plot.ts";
import { markdown, type Results } from "./report.ts";

const help = `npm run study -- --claims [options]
What is said of learning rates, asked of trainings on small digits: each setting with all of its rates at once, as copies of a cohort. Writes
every answer to a JSON file, and tables (.md) and curves (.svg) beside it.

  --only NAMES    some of the questions, with commas: ${questions.map(({ name }) => name).join(",")}
  --seeds N       answers to each (default: ${full.seeds})
  --runtime NAME  where it trains: ${runtimes.join(", ")} (default: chromium)
  --json FILE     where the results go (default: out/claims.json)
  --quick         1 seed, few images and rates: to see that all of it runs
  --redraw FILE   no training: tables and curves of an earlier file, beside it
  --help          this text

Ctrl-C stops after the training under way; the same command goes on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU.`;

interface Options extends Words {
  readonly questions: readonly Question[];
  readonly budget: Budget;
}

function options(): Options {
  const parts = questions.map(({ name }) => name);
  const study = { flag: "claims", part: "question", parts, json: "out/claims.json", runtime: "chromium" } as const;
  const words = studyWords(process.argv.slice(2), { ...study, seeds: full.seeds });
  const { only = parts, seeds } = words;
  const asked = questions.filter(({ name }) => only.includes(name));
  return {
    ...words,
    // Of a quick study the ends of each question, with every fourth rate.
    questions: words.quick ? asked.map(brief) : asked,
    budget: { ...(words.quick ? quick : full), seeds },
  };
}

const brief = (question: Question): Question => ({
  ...question,
  settings: question.settings
    .filter((_, i, all) => i === 0 || i === all.length - 1)
    .map(({ name, ask }) => ({
      name,
      ask: ask.kind === "norms" ? ask : { ...ask, rates: ask.rates.filter((_, i) => i % 4 === 1) },
    })),
});

/** More or fewer seeds are no other budget. */
const whyOther = ({ budget: before }: Results, { budget: now }: Results): string | undefined =>
  JSON.stringify({ ...before, seeds: now.seeds }) === JSON.stringify(now) ? undefined : "it is of another budget";

/** Results, their tables and curves, in files. */
function save(results: Results, json: string): readonly string[] {
  writeFileSync(json, jsonOf(results));
  return [json, ...drawn(json, (image) => markdown(results, image), plot(results))];
}

async function run(chosen: Options): Promise<void> {
  const { questions, budget, runtime, json } = chosen;
  const runs = [...begunIn<Results>(json, { adapter: "", budget, runs: [] }, whyOther).runs];
  const isThere = (question: string, setting: string, seed: number): boolean =>
    runs.some((run) => run.question === question && run.setting === setting && run.seed === seed);
  const missing = questions.flatMap(({ name, settings }) =>
    Array.from({ length: budget.seeds }, (_, seed) => seed).flatMap((seed) =>
      settings.filter((one) => !isThere(name, one.name, seed)).map((setting) => ({ question: name, setting, seed })),
    ),
  );
  const results: Results = { adapter: "", budget, runs };
  let done = 0;
  await withCalls(runtime, { folder: "study/claims", ready: "answer" }, async (call, adapter) => {
    const stopping = begin(adapter);
    const progress = createProgress(terminal);
    results.adapter = adapter.name;
    const since = performance.now();
    for (const { question, setting, seed } of missing) {
      if (stopping()) break;
      const secondsLeft =
        done === 0 ? Number.NaN : ((missing.length - done) * (performance.now() - since)) / 1000 / done;
      const doing = `${setting.name}, seed ${seed}`;
      progress({ task: { name: question }, doing, done, total: missing.length, secondsLeft });
      const asked: Asked = { setting, seed, budget };
      const answer = await call<Answer>("answer", asked);
      const rates = setting.ask.kind === "norms" ? undefined : setting.ask.rates;
      runs.push({ question, setting: setting.name, seed, ...(rates && { rates }), ...answer });
      done++;
      writeFileSync(json, jsonOf(results)); // what is finished must not hang on the rest
    }
  });
  terminal.settle({ keep: false });
  if (done < missing.length) {
    process.exitCode = 130;
    terminal.print(`Stopped with ${done} of ${missing.length} answers.`);
  }
  terminal.print(`Wrote ${save(results, json).join(", ")}`);
  console.log(markdown(results, json.replace(/\.json$/, ".svg")));
}

await runStudy({
  options,
  help,
  redraw: (file) => save(JSON.parse(readFileSync(file, "utf8")), file),
  run,
});
