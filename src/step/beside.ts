// Several commands as one dispatch: their texts below each other, each under names of its own, and an entry. What stands beside each
// other shares out the workgroups; what goes on with the rows that a workgroup makes is run by the same workgroup. Every kernel works
// as it does alone, so that no bit changes. What several read alike is bound once, and so are all weights of an arena, from the first to the
// last: layers of one kind lie alike, so that their texts are the same. A workgroup runs one of them, so its memory is that of all.

import { fold } from "../op/kernel.ts";
import { specialise } from "../op/shader.ts";
import { MOST_BUFFERS } from "../plan/beside.ts";
import { type Binding, type Command, commandOf, type Rows } from "./command.ts";
import { elementOf, fours, readingFours } from "./reading.ts";

const entry = /@compute\s*@workgroup_size\((\d+)\)/;
const declaration = /@group\(0\)\s*@binding\(\d+\)\s*var<([^>]*)>\s*(\w+)\s*:\s*([^;]*);/g;
const alias = /\balias\s+(\w+)\s*=\s*(\w+);/g;
/** Memory of a workgroup: its name, and of what it is. */
const memory = /var<workgroup>\s*(\w+)\s*:([^;]*);/g;
/** The values of the step, which all that ask for them declare alike. */
const step = /struct\s+(\w+)\s*\{[^}]*\}\s*@group\(1\)\s*@binding\(0\)\s*var<uniform>\s*\w+\s*:\s*\1;/g;
/** Whatever a text names, with few blanks as in the built file; that some of it is local does no harm. */
const names = /\b(?:(?:fn|override|const|alias|struct|var)\s+|var<[^>]*>\s*)(\w+)/g;
/** A structure, which is looked through by itself: to look back from each word for the one that it stands in takes long. */
const structures = /\bstruct\s+\w+\s*\{[^}]*\}/g;
/** Members and attributes, which keep their names, and then all other words, with the bracket behind a buffer that is indexed. */
const words = /[.@]\w+|\b([A-Za-z_]\w*)(\[?)/g;
const wordsOfStructure = /[.@]\w+|\b\w+(?=\s*:)|\b([A-Za-z_]\w*)(\[?)/g;

/** As few commands as it takes, in order; a shader sees `mostBytes` of an arena. */
export function beside(commands: readonly Command[], mostBytes = Number.POSITIVE_INFINITY): readonly Command[] {
  if (commands.length < 2) return commands;
  const joined = join(commands, mostBytes);
  return joined === undefined ? [...beside(commands.slice(0, -1), mostBytes), ...commands.slice(-1)] : [joined];
}

function join(commands: readonly Command[], mostBytes: number): Command | undefined {
  const merged = together(commands, mostBytes, false);
  if (merged === undefined) return undefined;
  const threads = Math.max(...merged.threads);
  let end = 0;
  const branches: string[] = [];
  for (const [i, { grid }] of commands.entries()) {
    // Threads that do not wait for one another may be several smaller workgroups.
    const own = merged.threads[i] as number;
    if (own !== threads && merged.waits[i]) return undefined;
    const [x, y, z] = grid;
    const begin = end;
    end += Math.ceil((x * y * z * own) / threads);
    const at = own === threads ? `(at - ${begin}u)` : `((at - ${begin}u) * ${threads / own}u + lane / ${own}u)`;
    const place = `vec3u(${at} % ${x}u, ${at} / ${x}u % ${y}u, ${at} / ${x * y}u)`;
    const call = `main_${i}(${place}, vec3u(${x}, ${y}, ${z}), ${own === threads ? "lane" : `lane % ${own}u`});`;
    const isFull = own === threads || (x * y * z * own) % threads === 0;
    branches.push(`if (at < ${end}u) { ${isFull ? call : `if (${at} < ${x * y * z}u) { ${call} }`} }`);
  }
  return commandFrom(merged, commands, threads, branches.join("\n  else "), fold(end));
}

/**
 * The command of a kernel that makes rows, and of one that goes on with them row by row; undefined where it cannot be one. Each
 * workgroup waits until its rows are there, and takes `rows.each` of the second's turns.
 */
export function thenRows(
  first: Command,
  second: Command,
  rows: Rows,
  mostBytes = Number.POSITIVE_INFINITY,
): Command | undefined {
  const made = first.bindings.filter(({ access }) => access === "readWrite");
  const taken = second.bindings.find(({ access, arena, offset }) => {
    return access === "read" && made.some((one) => one.arena === arena && one.offset === offset);
  });
  const whole = made.find(({ arena, offset }) => taken?.arena === arena && taken.offset === offset);
  if (taken === undefined || whole === undefined) return undefined;
  const [from, to] = [whole, taken].map(({ name }, i) => elementOf(textOf([first, second][i] as Command), name));
  if (from !== to && fours[`${to}`] !== from) return undefined;
  const reader = from === to ? second : { ...second, source: readingFours(textOf(second), taken.name), holes: {} };
  const merged = together([first, reader], mostBytes, true);
  if (merged === undefined) return undefined;
  const [threads, others] = merged.threads as [number, number];
  const { by, each, copy } = rows;
  if (by === "workgroup" ? others !== threads : merged.waits[1]) return undefined;
  const [x, y, z] = first.grid;
  const group = (turn: string): string => (copy ? `${copy.first} + (${turn}) * ${copy.step}u` : turn);
  const call = (turn: string, lane: string): string =>
    `main_1(vec3u(${group(turn)}, 0, 0), vec3u(${MOST}, 1, 1), ${lane});`;
  const loop =
    by === "workgroup"
      ? `for (var i = 0u; i < ${each}u; i++) { ${call("first + i", "lane")} workgroupBarrier(); }`
      : `for (var i = first + lane; i < first + ${each}u; i += ${threads}u) { ${call(`i / ${others}u`, `i % ${others}u`)} }`;
  const body = [
    `main_0(vec3u(at % ${x}u, at / ${x}u % ${y}u, at / ${x * y}u), vec3u(${x}, ${y}, ${z}), lane);`,
    "storageBarrier();",
    `let first = (${copy?.place ?? "at"}) * ${each}u;`,
    loop,
  ].join("\n  ");
  return { ...commandFrom(merged, [first, second], threads, body, first.grid), rows };
}

/**
 * A command each of whose kernels is changed, joined as they were as far as that goes. `rowsOf` says how the second of two goes on with the
 * rows of the first.
 */
export function remade(
  command: Command,
  change: (kernel: Command) => Command,
  mostBytes?: number,
  rowsOf = (rows: Rows, _: readonly Command[]): Rows => rows,
): readonly Command[] {
  const later: Command[] = [];
  const parts = (command.rows === undefined && command.parts ? command.parts : [command]).map((part) => {
    const { rows, parts: kernels = [part] } = part;
    const [first, second] = kernels.map(change) as [Command, Command];
    if (rows === undefined) return first;
    const joined = thenRows(first, second, rowsOf(rows, kernels), mostBytes);
    if (joined === undefined) later.push(second);
    return joined ?? first;
  });
  return [...beside(parts, mostBytes), ...later];
}

/** Turns are counted along one axis. */
const MOST = "0xffffffffu";

interface Together {
  readonly buffers: readonly (Binding & { readonly text: string })[];
  /** What stands once for all, and then the texts. */
  readonly texts: readonly string[];
  readonly threads: readonly number[];
  /** Whose threads wait for one another. */
  readonly waits: readonly boolean[];
}

const textOf = ({ kernel, source, holes }: Command): string =>
  specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");

/** `inTurn`: what one writes another may read. */
function together(commands: readonly Command[], mostBytes: number, inTurn: boolean): Together | undefined {
  const bound = new Map<string, Binding & { readonly text: string }>();
  /** What stands once for all, by name. */
  const kept = new Map<string, string>();
  const codes = commands.map((command, i) => {
    const code = textOf(command);
    const meant = new Map([...code.matchAll(alias)].map(([, word = "", type = ""]) => [word, type]));
    const own = [...code.matchAll(declaration)].map(([, space = "", name = "", given = ""]) => {
      const type = given.replace(/\w+/g, (word) => meant.get(word) ?? word);
      const binding = command.bindings.find((one) => one.name === name) as Binding;
      const { arena, access, offset, bytes } = binding;
      const isWeight = arena === "parameters" || arena === "base";
      const read = `${arena} ${isWeight ? "" : offset} ${type}`;
      const written = inTurn ? `written ${arena} ${offset}` : `${i} ${name}`;
      const isWritten = access !== "read" || bound.has(`written ${arena} ${offset}`);
      const key = bytes === 0 && access === "readWrite" ? arena : isWritten ? written : read;
      const known = bound.get(key) ?? { ...binding, name: `bound_${bound.size}`, number: bound.size };
      const begin = Math.min(known.offset, offset);
      const range = { offset: begin, bytes: Math.max(known.offset + known.bytes, offset + bytes) - begin };
      const text = bound.get(key)?.text ?? `var<${space}> ${known.name}: ${type};`;
      bound.set(key, { ...known, ...range, text });
      return [name, { key, offset, width: type.includes("vec4f") ? 16 : type.includes("vec2u") ? 8 : 4 }] as const;
    });
    const declared = new Set([...code.matchAll(names)].map(([, name]) => name));
    // Memory of a type of its own, or of one that another's of that name has not, is its own.
    const keep = (text: string, name: string, type = ""): string => {
      const isOwn = (type.match(/\w+/g) ?? []).some((word) => declared.has(word));
      if (isOwn || (kept.get(name) ?? text) !== text) return text;
      kept.set(name, text);
      return "";
    };
    const rest = code
      .replace(declaration, "")
      .replace(step, (text, name) => keep(text, name))
      .replace(memory, (text, name, type) => keep(text, name, type));
    return { code: rest, own: new Map(own) };
  });
  const buffers = [...bound.values()];
  const stored = buffers.filter(({ access }) => access !== "uniform");
  if (stored.length > MOST_BUFFERS || stored.some(({ bytes }) => bytes > mostBytes)) return undefined;
  const texts = codes.map(({ code, own }, i) => {
    const text = code.replace(entry, "").replace(/@builtin\(\w+\)/g, "");
    const called = new Set([...text.matchAll(names)].map(([, name]) => name));
    const renamed = (all: string, word: string, index: string): string => {
      const here = own.get(word);
      const to = here && bound.get(here.key);
      // What bears the name of a buffer and is not indexed is local.
      if (to?.access === "uniform") return to.name + index;
      if (to && index) return `${to.name}[${(here.offset - to.offset) / here.width}u + `;
      return called.has(word) ? `${word}_${i}${index}` : all;
    };
    const inside = (text.match(structures) ?? []).map((structure) => structure.replace(wordsOfStructure, renamed));
    return text
      .split(structures)
      .map((outside, at) => outside.replace(words, renamed) + (inside[at] ?? ""))
      .join("");
  });
  return {
    buffers,
    texts: [...kept.values(), ...texts],
    threads: codes.map(({ code }) => Number(entry.exec(code)?.[1])),
    waits: codes.map(({ code }) => code.includes("Barrier(")),
  };
}

/** `body`: what each workgroup does, `at` in the grid. */
function commandFrom(
  { buffers, texts }: Together,
  commands: readonly Command[],
  threads: number,
  body: string,
  grid: Command["grid"],
): Command {
  const source = [
    ...buffers.map(({ number, text }) => `@group(0) @binding(${number}) ${text}`),
    ...texts,
    `@compute @workgroup_size(${threads})`,
    "fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) groups: vec3u,",
    "  @builtin(local_invocation_index) lane: u32) {",
    "  let at = workgroup.y * groups.x + workgroup.x;",
    `  ${body}`,
    "}",
  ].join("\n");
  const said = (what: "kernel" | "note" | "layer"): string =>
    [...new Set(commands.map((one) => one[what]))].filter((text) => text !== "").join(" + ");
  const constants = commands.flatMap(({ constants }, i) =>
    Object.entries(constants).map(([name, value]) => [`${name}_${i}`, value] as const),
  );
  const shader = {
    ...{ source, holes: {}, constants: Object.fromEntries(constants), grid, when: 0, parts: commands },
    ...{ kernel: said("kernel"), note: said("note"), layer: said("layer") },
  };
  return commandOf(shader, (name) => {
    const { arena, offset, bytes } = buffers.find((one) => one.name === name) as Binding;
    return { arena, offset, bytes };
  });
}
