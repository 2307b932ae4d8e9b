// npm run study -- --claims: what is said of learning rates, asked of trainings. What the file of results holds already does not run again.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { prepareFile, readWords, whole } from "../../command-line.ts";
import { type Runtime, runtimes } from "../../train/place.ts";
import { begin, drawn, runStudy, terminal } from "../command.ts";
import { withCalls } from "../place.ts";
import { createProgress } from "../progress.ts";
import { jsonOf } from "../report.ts";
import { type Answer, type Asked, type Budget, full, type Question, questions, quick } from "./plan.ts";
import { plot } from "./plot.ts";
import { markdown, type Results, type Run } from "./report.ts";

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

interface Options {
  readonly questions: readonly Question[];
  readonly budget: Budget;
  readonly runtime: Runtime;
  readonly json: string;
  readonly redraw: string | undefined;
  readonly help: boolean;
}

function options(): Options {
  const { given, set } = readWords(process.argv.slice(2), {
    names: ["only", "seeds", "runtime", "json", "redraw"],
    flags: ["claims", "quick", "help"],
  });
  const { only, json = "out/claims.json", redraw, runtime = "chromium" } = given;
  const [help, small] = [set.has("help"), set.has("quick")];
  const names = only?.split(",") ?? questions.map(({ name }) => name);
  const unknown = names.find((name) => !questions.some((question) => question.name === name));
  if (unknown !== undefined)
    throw new Error(
      `--only: there is no question "${unknown}". Questions: ${questions.map(({ name }) => name).join(", ")}.`,
    );
  if (!runtimes.includes(runtime as Runtime))
    throw new Error(`--runtime is "${runtime}", it must be one of ${runtimes.join(", ")}.`);
  if (!json.endsWith(".json")) throw new Error(`--json: the file must end in .json, "${json}" does not.`);
  if (!help && redraw === undefined) prepareFile("--json", json);
  const budget = small ? quick : full;
  const asked = questions.filter(({ name }) => names.includes(name));
  return {
    // Of a quick study the ends of each question, with every fourth rate.
    questions: small ? asked.map(brief) : asked,
    budget: { ...budget, seeds: whole("--seeds", given.seeds ?? `${budget.seeds}`, 1, 100) },
    ...{ runtime: runtime as Runtime, json, redraw, help },
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

/** What a file holds of trainings with this budget; an error of one line where they had another. */
function begun({ json, budget }: Options): readonly Run[] {
  if (!existsSync(json)) return [];
  const before: Results = JSON.parse(readFileSync(json, "utf8"));
  const of = ({ images, epochs, test }: Budget): string => `${images} ${epochs} ${test}`;
  if (of(before.budget) === of(budget)) return before.runs;
  throw new Error(`${json} holds answers, but they are of another budget. Give another file, or remove it.`);
}

/** Results, their tables and curves, in files. */
function save(results: Results, json: string): readonly string[] {
  writeFileSync(json, jsonOf(results));
  return [json, ...drawn(json, (image) => markdown(results, image), plot(results))];
}

async function run(chosen: Options): Promise<void> {
  const { questions, budget, runtime, json } = chosen;
  const runs = [...begun(chosen)];
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
