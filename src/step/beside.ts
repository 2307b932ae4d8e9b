// Commands that stand beside each other as one dispatch: their texts below each other, each under names of its own, and an entry
// that shares out the workgroups. Every kernel works as it does alone, so that no bit changes. What several read is bound once; where
// there are more buffers than a device must have, so is the range of an arena that several read from.

import { fold, type Grid } from "../op/kernel.ts";
import { specialise } from "../op/shader.ts";
import { MOST_BUFFERS } from "../plan/beside.ts";
import { type Binding, type Command, commandOf } from "./command.ts";

/** A kernel's entry, and what each of its parameters is and is called. */
const entry = /@compute\s*@workgroup_size\(([^)]*)\)\s*fn main\(((?:@builtin\(\w+\)\s*\w+\s*:\s*\w+[,\s]*)+)\)/;
const parameter = /@builtin\((\w+)\)\s*(\w+)\s*:\s*(\w+)/g;
const declaration = /@group\(0\)\s*@binding\(\d+\)\s*var<([^>]*)>\s*(\w+)\s*:\s*([^;]*);/g;
const aliases = /\balias (\w+)\s*=\s*(\w+)/g;
/** Whatever a text names; that some of it is local does no harm. */
const names = /\b(?:fn|override|const|alias|struct|var(?:<[^>]*>)?)\s+(\w+)/g;
/** A word, or what holds words that keep their names: a struct, attributes, spaces of memory, members. */
const words = /struct\s+\w+\s*\{[^}]*\}|@\w+(?:\([^)]*\))?|var<[^>]*>|\.\w+|\b[A-Za-z_]\w*/g;
/** What a struct is called, and its types. */
const types = /(?<=struct\s+|:\s*)\w+/g;

/** Of a joined command: several of what the kernels have. */
interface Shared extends Binding {
  /** What stands in its declaration before and behind the name. */
  readonly space: string;
  readonly type: string;
}

/** What a kernel has by a name of its own. */
interface Own extends Shared {
  readonly kernel: number;
}

/** As few commands as it takes, in order; a shader sees `mostBytes` of an arena. */
export function beside(commands: readonly Command[], mostBytes = Number.POSITIVE_INFINITY): readonly Command[] {
  if (commands.length < 2) return commands;
  const joined = join(commands, mostBytes);
  return joined === undefined ? [...beside(commands.slice(0, -1), mostBytes), ...commands.slice(-1)] : [joined];
}

function join(commands: readonly Command[], mostBytes: number): Command | undefined {
  const codes = commands.map(({ kernel, source, holes }) => specialise(kernel, source, holes).replace(/\/\/.*$/gm, ""));
  const all = codes.flatMap((code, kernel) => {
    const known = new Map([...code.matchAll(aliases)].map(([, name, type = ""]) => [name, type]));
    return [...code.matchAll(declaration)].map(([, space = "", name = "", type = ""]): Own => {
      const binding = commands[kernel]?.bindings.find((one) => one.name === name) as Binding;
      return { ...binding, space, type: type.replace(/\w+/g, (word) => known.get(word) ?? word), kernel };
    });
  });
  const bound = [shared(all, false), shared(all, true)].find((buffers) => {
    const stored = buffers.filter(({ access }) => access !== "uniform");
    return stored.length <= MOST_BUFFERS && stored.every(({ bytes }) => bytes <= mostBytes);
  });
  const entries = codes.map((code) => entry.exec(code) as RegExpExecArray);
  const sizes = entries.map(([, size = ""]) => size.split(",").map(Number));
  const threads = sizes.map((size) => size.reduce((a, b) => a * b));
  if (bound === undefined || threads.some((count) => count !== threads[0])) return undefined;
  let end = 0;
  const branches: string[] = [];
  const texts = codes.map((code, i) => {
    const { grid } = commands[i] as Command;
    const [head, , parameters = ""] = entries[i] as RegExpExecArray;
    const given = [...parameters.matchAll(parameter)];
    const values = builtins(`(at - ${end}u)`, grid, sizes[i] as number[]);
    end += grid[0] * grid[1] * grid[2];
    branches.push(`if (at < ${end}u) { main_${i}(${given.map(([, name = ""]) => values[name]).join(", ")}); }`);
    const own = new Map([...code.matchAll(names)].map(([, name = ""]) => [name, `${name}_${i}`]));
    const rename = (word: string): string => own.get(word) ?? word;
    const alone = code
      .replace(declaration, "")
      .replace(head, `fn main(${given.map(([, , name, type]) => `${name}: ${type}`).join(", ")})`)
      .replace(words, (word) => (word.startsWith("struct") ? word.replace(types, rename) : rename(word)));
    return all
      .filter(({ kernel }) => kernel === i)
      .reduce((text, one) => seenIn(text, `${one.name}_${i}`, one, holderOf(bound, one) as Shared), alone);
  });
  const source = [
    ...bound.map(({ number, space, name, type }) => `@group(0) @binding(${number}) var<${space}> ${name}: ${type};`),
    ...texts,
    `@compute @workgroup_size(${threads[0]})`,
    "fn main(",
    "  @builtin(workgroup_id) workgroup: vec3u,",
    "  @builtin(num_workgroups) groups: vec3u,",
    "  @builtin(local_invocation_index) lane: u32,",
    ") {",
    "  let at = workgroup.y * groups.x + workgroup.x;",
    `  ${branches.join("\n  else ")}`,
    "}",
  ].join("\n");
  const said = (of: (command: Command) => string): string => [...new Set(commands.map(of))].join(" + ");
  const constants = commands.flatMap(({ constants }, i) =>
    Object.entries(constants).map(([name, value]) => [`${name}_${i}`, value] as const),
  );
  const shader = {
    ...{ source, holes: {}, constants: Object.fromEntries(constants), grid: fold(end), when: 0, parts: commands },
    ...{ kernel: said(({ kernel }) => kernel), note: said(({ note }) => note), layer: said(({ layer }) => layer) },
  };
  return commandOf(shader, (name) => {
    const { arena, offset, bytes } = bound.find((one) => one.name === name) as Shared;
    return { arena, offset, bytes };
  });
}

/** Whether what a kernel has can be seen through a binding. */
const holds = (holder: Shared, own: Shared): boolean =>
  holder.arena === own.arena &&
  holder.type === own.type &&
  holder.space === own.space &&
  holder.offset <= own.offset &&
  own.offset + own.bytes <= holder.offset + holder.bytes;

const holderOf = (bound: readonly Shared[], own: Own): Shared | undefined => bound.find((holder) => holds(holder, own));

/** What is bound: the same slice once; `wide`: also what is read of one arena. */
function shared(all: readonly Own[], wide: boolean): readonly Shared[] {
  const found: Shared[] = [];
  for (const own of all) {
    const isRead = own.access === "read" && own.bytes > 0;
    const at = found.findIndex(
      (one) =>
        holds(one, own) ||
        (wide && isRead && one.arena === own.arena && one.space === own.space && one.type === own.type),
    );
    const { offset, bytes } = found[at] ?? own;
    const begin = Math.min(offset, own.offset);
    const range = { offset: begin, bytes: Math.max(offset + bytes, own.offset + own.bytes) - begin };
    if (at < 0) found.push({ ...own, name: `bound_${found.length}`, number: found.length });
    else found[at] = { ...(found[at] as Shared), ...range };
  }
  return found;
}

/** A text in which what is called `name` is seen through a binding, behind what stands there before it; what is not indexed is a local. */
function seenIn(text: string, name: string, own: Own, holder: Shared): string {
  const before = (own.offset - holder.offset) / (own.type.includes("vec4f") ? 16 : 4);
  if (own.access === "uniform") return text.replace(new RegExp(`\\b${name}\\b`, "g"), holder.name);
  return text.replace(new RegExp(`\\b${name}\\[`, "g"), `${holder.name}[${before === 0 ? "" : `${before}u + `}`);
}

/** What a kernel knows of its place, from that of a workgroup among its own and a lane. */
function builtins(at: string, grid: Grid, [x = 1, y = 1, z = 1]: readonly number[]): Readonly<Record<string, string>> {
  const place = (of: string, width: number, height: number): string =>
    `vec3u(${of} % ${width}u, ${of} / ${width}u % ${height}u, ${of} / ${width * height}u)`;
  const workgroup = place(at, grid[0], grid[1]);
  const local = place("lane", x, y);
  return {
    workgroup_id: workgroup,
    num_workgroups: `vec3u(${grid.map((length) => `${length}u`).join(", ")})`,
    local_invocation_index: "lane",
    local_invocation_id: local,
    global_invocation_id: `${workgroup} * vec3u(${x}u, ${y}u, ${z}u) + ${local}`,
  };
}
