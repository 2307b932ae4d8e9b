// One command for all copies: its workgroups are shared out by copy, and each access of a tensor that there are many of begins at
// that of the copy. Each copy works as the command does alone, so that no bit changes and no dispatch is added. A tensor at `offset`
// of an arena lies at copies x offset there, one copy behind the other, so that what was apart is apart.

import type { Binding, Command, Core, Rows, Slice } from "./core.ts";

/** The arena in which each copy has its own metrics. */
export const TOLD = "told";

export interface Copied {
  readonly copies: number;
  /** Rows of the layer table of one copy. */
  readonly rows: number;
  /** Bytes of the metrics of one copy. */
  readonly told: number;
  /** Seeds of what is drawn, where they are not that of all. */
  readonly seeds: readonly number[] | undefined;
  /** Whether each copy has an order of samples of its own, behind those of the copies before it. */
  readonly ordered: boolean;
  /** Whether neighbouring workgroups are of different copies, where it helps a cache; else those of a copy follow one another. */
  readonly inTurns: boolean;
  /** What all of them have at one place, that of the first. */
  readonly alike?: readonly Slice[];
}

/** Bytes of a block in the arenas that are made of blocks, and what a binding begins at in others. */
const [BLOCK, ALIGNMENT] = [1024, 256];
const inBlocks = ["parameters", "gradients", "states", "next", "before"];

const isOrder = ({ arena }: Slice, { ordered }: Copied): boolean => ordered && arena === "data.order";

/** Whether each copy has its own of what is bound. */
export const isOfEach = (slice: Slice, copied: Copied): boolean =>
  isOrder(slice, copied) || strideOf(slice, copied) > 0;

/** Bytes that a copy's own takes; 0 where all share what is bound. */
function roomOf({ arena, bytes }: Slice, { told }: Copied): number {
  if (arena === "metrics") return told;
  if (inBlocks.includes(arena)) return Math.ceil(bytes / BLOCK) * BLOCK;
  return arena.startsWith("activations") ? Math.ceil(bytes / ALIGNMENT) * ALIGNMENT : 0;
}

const isAlike = ({ arena, offset }: Slice, { alike = [] }: Copied): boolean =>
  alike.some((one) => one.arena === arena && one.offset === offset);

/** Bytes from one copy of what is bound to the next. */
const strideOf = (slice: Slice, copied: Copied): number => (isAlike(slice, copied) ? 0 : roomOf(slice, copied));

/** Where something lies that there are many of, or one in the place of many. */
export function placeOfMany(slice: Slice, copied: Copied): Slice {
  const { arena, offset, bytes } = slice;
  const { copies } = copied;
  if (arena === "metrics") return { arena: TOLD, offset: 0, bytes: 0 };
  const room = roomOf(slice, copied);
  if (room === 0) return slice;
  return { arena, offset: offset * copies, bytes: isAlike(slice, copied) ? bytes : room * copies };
}

const header = /@compute\s*@workgroup_size\((\w+)\)\s*fn main\(/;
const parameter = /@builtin\((\w+)\)\s*(\w+)\s*:\s*(\w+)/g;
/** What an entry is told, for a workgroup of a copy. */
const told: Readonly<Record<string, string>> = {
  workgroup_id: "own_group",
  num_workgroups: "own_groups",
  local_invocation_index: "own_lane",
  global_invocation_id: "vec3u(own_group.x * OWN_THREADS + own_lane, own_group.yz)",
};

/** The name of a buffer, and how many of its numbers lie from one copy to the next. */
type Stride = readonly [name: string, by: string];

/** The command for all copies. `once`: what it makes is alike, so that it runs as it is. */
export function spread(command: Command, copied: Copied, core: Core, once = false): Command {
  const { kernel, source, holes, constants, bindings, grid, when, note, layer, times } = command;
  const plain = core.specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");
  const isSums = kernel === "sum-rows";
  const strides = bindings.flatMap((binding): Stride[] => {
    const { name, arena } = binding;
    if (isOrder(binding, copied)) return [[name, `arrayLength(&${name}) / ${copied.copies}u`]];
    const stride = isSums && arena !== "metrics" ? 0 : strideOf(binding, copied);
    return stride === 0 ? [] : [[name, `${stride / widthOf(plain, name)}u`]];
  });
  const shifted = strides.reduce((code, [name]) => shift(code, name), withRows(plain, bindings, copied));
  const seeded = kernel === "draw" ? withSeeds(shifted, copied) : shifted;
  const [x, y, z] = grid;
  const code = once ? plain : entryFor(isSums ? withSums(seeded, copied) : seeded, command.grid, copied, strides);
  const folded = once ? grid : core.fold(x * y * z * copied.copies);
  const shader = { kernel, source: code, holes: {}, constants, grid: folded, when, note };
  return core.commandOf({ ...shader, layer, ...(times !== undefined && { times }) }, (name) => {
    const binding = bindings.find((one) => one.name === name) as Binding;
    const { arena, offset, bytes } = binding;
    const half = "half" in binding && binding.half === true ? { half: true as const } : {};
    return { ...placeOfMany({ arena, offset, bytes }, copied), ...half };
  });
}

/** In WGSL, for workgroup `at` where `each` are of a copy: which copy it is of, and which of that copy's it is. */
const copyOf = (at: string, each: number, { copies, inTurns }: Copied): string =>
  inTurns ? `${at} % ${copies}u` : `${at} / ${each}u`;
const placeIn = (at: string, each: number, { copies, inTurns }: Copied): string =>
  inTurns ? `${at} / ${copies}u` : `${at} % ${each}u`;

/** A kernel goes on with the rows of its own copy: what `rows` says of both, with the workgroups of each for one copy. */
export function rowsOfCopy(rows: Rows, [first, second]: readonly [number, number], copied: Copied): Rows {
  const { copies, inTurns } = copied;
  const copy = copyOf("at", first, copied);
  const begin = inTurns ? { first: copy, step: copies } : { first: `${copy} * ${second}u`, step: 1 };
  return { ...rows, copy: { place: placeIn("at", first, copied), ...begin } };
}

/** Shares the workgroups out, and says once where a copy's own begin, since a multiplication for each access takes its time. */
function entryFor(code: string, [x, y, z]: Command["grid"], copied: Copied, strides: readonly Stride[]): string {
  const found = header.exec(code) as RegExpExecArray;
  const begin = found.index + found[0].length;
  const end = closing(code, begin, "(", ")");
  const parameters = [...code.slice(begin, end).matchAll(parameter)];
  const list = parameters.map(([, , name, type]) => `${name}: ${type}`).join(", ");
  const given = parameters.map(([, builtin = ""]) => told[builtin]).join(", ");
  const each = x * y * z;
  return `${code.slice(0, found.index)}fn own_main(${list}${code.slice(end)}
var<private> own_copy: u32;
${strides.map(([name]) => `var<private> own_begin_${name}: u32;`).join("\n")}
const OWN_THREADS = u32(${found[1]});
@compute @workgroup_size(${found[1]})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) own_lane: u32) {
  let own_at = workgroup.y * groups.x + workgroup.x;
  if (own_at >= ${each * copied.copies}u) { return; }
  own_copy = ${copyOf("own_at", each, copied)};
  ${strides.map(([name, by]) => `own_begin_${name} = own_copy * (${by});`).join("\n  ")}
  let own_place = ${placeIn("own_at", each, copied)};
  let own_group = vec3u(own_place % ${x}u, own_place / ${x}u % ${y}u, own_place / ${x * y}u);
  let own_groups = vec3u(${x}u, ${y}u, ${z}u);
  own_main(${given});
}
`;
}

/** Each access of a buffer begins at the copy's own. What bears its name and is not indexed is local. */
function shift(code: string, name: string): string {
  const found = [...code.matchAll(new RegExp(`(?<![.\\w])${name}\\[`, "g"))];
  return found.reverse().reduce((text, { index, 0: { length } }) => {
    const begin = index + length;
    const end = closing(text, begin, "[", "]");
    return `${text.slice(0, begin)}own_begin_${name} + u32(${text.slice(begin, end)})${text.slice(end)}`;
  }, code);
}

const widths: Readonly<Record<string, number>> = { vec2f: 8, vec2u: 8, vec4f: 16, vec4u: 16 };

/** Bytes of what a buffer is an array of; some kernels have a word of their own for that. */
function widthOf(code: string, name: string): number {
  const [, type = ""] = new RegExp(`var<storage[^>]*>\\s*${name}\\s*:\\s*array<\\s*(\\w+)`).exec(code) ?? [];
  const alias = new RegExp(`\\balias ${type}\\s*=\\s*(\\w+)`).exec(code)?.[1];
  return widths[alias ?? type] ?? 4;
}

/** Rows of gradients: those of the copy stand behind those of the copies before it. */
const withRows = (code: string, bindings: readonly Binding[], { rows }: Copied): string =>
  bindings
    .filter(({ arena, offset }) => arena === "rowNumbers" && offset > 0)
    .reduce((text, { name }) => text.replaceAll(`${name}.x`, `(${name}.x + own_copy * ${rows}u)`), code);

/** A draw is that of the copy's seed. */
function withSeeds(code: string, { seeds }: Copied): string {
  if (seeds === undefined) return code;
  const cases = seeds.map((seed, copy) => `case ${copy}u: { return ${seed}u; }`).join(" ");
  const text = code.replace(/\b\w+\.seed\b/, "own_seed()");
  return `${text}\nfn own_seed() -> u32 { switch own_copy { ${cases} default: { return 0u; } } }\n`;
}

/** Sums that stand beside one another hold their places in the text; x is a tensor of `terms` lines, or of two sums in turn. */
function withSums(code: string, { copies, rows }: Copied): string {
  let last: readonly number[] | undefined;
  const table = code.replace(/\b(\w+)\((\d+u(?:, ?\d+u){7})\)/g, (_, struct: string, list: string) => {
    const numbers = list.split(",").map((text) => Number.parseInt(text, 10));
    const [begin, length, arena, x, step, terms, y, row] = numbers as [number, number, ...number[]] as number[];
    const [size, at] = [length as number, x as number];
    const isSecond = step === 2 * size && last?.[2] === arena && last?.[3] === at - size && last?.[4] === step;
    const first = isSecond ? size : 0;
    last = isSecond ? undefined : numbers;
    const places = [begin, length, arena, (at - first) * copies + first, step, terms, (y as number) * copies, row];
    return `${struct}(${places.map((place) => `${place}u`).join(", ")})`;
  });
  return table.replace(
    /(->\s*\w+\s*\{\s*)return (\w+\[[^;]*\]);/,
    `$1var sum = $2;
  sum.x += own_copy * ((sum.step * sum.terms + 63) / 64 * 64);
  sum.y += own_copy * ((sum.length + 255) / 256 * 256);
  sum.row += select(0, own_copy * ${rows}u, sum.row != 0);
  return sum;`,
  );
}

/** Where a bracket closes that was opened before `at`. */
export function closing(text: string, at: number, opens: string, closes: string): number {
  let open = 1;
  let end = at - 1;
  while (open > 0 && ++end < text.length) open += text[end] === opens ? 1 : text[end] === closes ? -1 : 0;
  return end;
}
