// The page of parity: what the committed numbers say of runtimes, of networks that others trained, and of what is tried at random.

import { readFileSync } from "node:fs";

const json = (file: string) => JSON.parse(readFileSync(`docs/${file}`, "utf8"));
const whole = (value: number): string => value.toLocaleString("en-US");
const day = ({ date }: { readonly date: string }): string => date.slice(0, 10);

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

interface Runtime {
  readonly runtime: string;
  readonly version: string;
  readonly adapter: string;
  readonly passed: number;
  readonly failed: number;
  readonly losses: Readonly<Record<string, readonly number[]>>;
}

interface Measured {
  readonly what: string;
  readonly found: number;
  readonly published: number;
  readonly within: number;
}

export function parity(): string {
  const runtimes = json("runtimes.json");
  const figures = json("soak-figures.json");
  const readers = json("soak-readers.json");
  const sequences = json("soak-sequences.json");
  const last = (losses: readonly number[] | undefined): string => (losses?.at(-1) ?? Number.NaN).toFixed(7);
  const byReader = Object.entries(readers.readers.byReader as Record<string, { read: number; refused: number }>);
  const furthest = Math.max(...runtimes.agreement.map(({ largest }: { largest: number }) => largest));
  return `# Parity

What the files of numbers in the repository say; each table names its command and its day.

## Runtimes

All tests of kernels and stories in each runtime, and 20 steps of two networks, whose losses agree to ${furthest.toExponential(1)}
(\`npm run runtimes\`, ${day(runtimes)}, [numbers](runtimes.json)).

${table(
  ["runtime", "adapter", "passed", "failed", "last loss of `mlp`", "of `cnn`"],
  (runtimes.runtimes as Runtime[]).map(({ version, runtime, adapter, passed, failed, losses }) => [
    version || runtime,
    adapter,
    whole(passed),
    whole(failed),
    last(losses.mlp),
    last(losses.cnn),
  ]),
)}

## Networks that others trained

What they reach on their own data beside what was published (\`npm run soak -- --only figures\`, ${day(figures)}, [numbers](soak-figures.json)).

${table(
  ["network", "what", "found", "published", "allowed"],
  (figures.figures as { name: string; measured: Measured[] }[]).flatMap(({ name, measured }) =>
    measured.map(({ what, found, published, within }) => [
      name,
      what,
      found.toPrecision(4),
      published.toPrecision(4),
      `± ${within}`,
    ]),
  ),
)}

## Wrong files

${whole(readers.readers.done)} files that are damaged or hostile by their form; ${whole(readers.readers.found.length)} crashes, hangs, allocations beyond a small
multiple of the file, or wrong results (\`npm run soak -- --only readers\`, ${day(readers)}, [numbers](soak-readers.json)).

${table(
  ["reader", "read", "refused by a typed error"],
  byReader.map(([name, { read, refused }]) => [name, whole(read), whole(refused)]),
)}

## Orders of calls

${whole(sequences.sequences.done)} random orders of calls on random models, with bad values and damaged checkpoints among them: ${whole(sequences.sequences.wrong)} wrong results,
${whole(sequences.sequences.untyped)} errors without a type (\`npm run soak -- --only sequences\`, ${day(sequences)}, [numbers](soak-sequences.json)).
`;
}
