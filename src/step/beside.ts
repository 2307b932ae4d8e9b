// Commands that stand beside each other as one dispatch: their texts below each other, each under names of its own, and an entry
// that shares out the workgroups. Every kernel works as it does alone, so that no bit changes. What several read is bound once,
// and so are all weights of an arena, from the first to the last: layers of one kind lie alike, so that their texts are the same. A
// workgroup runs one of them, so its memory is that of all.

import { fold } from "../op/kernel.ts";
import { specialise } from "../op/shader.ts";
import { MOST_BUFFERS } from "../plan/beside.ts";
import { type Binding, type Command, commandOf } from "./command.ts";

const entry = /@compute\s*@workgroup_size\((\d+)\)/;
const declaration = /@group\(0\)\s*@binding\(\d+\)\s*var<([^>]*)>\s*(\w+)\s*:\s*([^;]*);/g;
/** Memory of a workgroup. */
const memory = /var<workgroup>[^;]*;/g;
/** Whatever a text names, with few blanks as in the built file; that some of it is local does no harm. */
const names = /\b(?:(?:fn|override|const|alias|struct|var)\s+|var<[^>]*>\s*)(\w+)/g;
/** Members and attributes, which keep their names, and then all other words, with the bracket behind a buffer that is indexed. */
const words = /[.@]\w+|(?<=\bstruct\s+\w+\s*\{[^}]*)\b\w+(?=\s*:)|\b([A-Za-z_]\w*)(\[?)/g;

/** As few commands as it takes, in order; a shader sees `mostBytes` of an arena. */
export function beside(commands: readonly Command[], mostBytes = Number.POSITIVE_INFINITY): readonly Command[] {
  if (commands.length < 2) return commands;
  const joined = join(commands, mostBytes);
  return joined === undefined ? [...beside(commands.slice(0, -1), mostBytes), ...commands.slice(-1)] : [joined];
}

function join(commands: readonly Command[], mostBytes: number): Command | undefined {
  const bound = new Map<string, Binding & { readonly text: string }>();
  const kept = new Set<string>();
  const codes = commands.map(({ kernel, source, holes, bindings }, i) => {
    const code = specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");
    const own = [...code.matchAll(declaration)].map(([, space = "", name = "", type = ""]) => {
      const binding = bindings.find((one) => one.name === name) as Binding;
      const { arena, access, offset, bytes } = binding;
      const isWeight = arena === "parameters" || arena === "base";
      const read = `${arena} ${isWeight ? "" : offset} ${type}`;
      const key = access === "read" ? read : arena === "metrics" ? arena : `${i} ${name}`;
      const known = bound.get(key) ?? { ...binding, name: `bound_${bound.size}`, number: bound.size };
      const begin = Math.min(known.offset, offset);
      const range = { offset: begin, bytes: Math.max(known.offset + known.bytes, offset + bytes) - begin };
      bound.set(key, { ...known, ...range, text: `var<${space}> ${known.name}: ${type};` });
      return [name, { key, offset, width: type.includes("vec4f") ? 16 : type.includes("vec2u") ? 8 : 4 }] as const;
    });
    const rest = code.replace(declaration, "").replace(memory, (text) => {
      kept.add(text);
      return "";
    });
    return { code: rest, own: new Map(own) };
  });
  const threads = codes.map(({ code }) => entry.exec(code)?.[1]);
  const buffers = [...bound.values()];
  const stored = buffers.filter(({ access }) => access !== "uniform");
  const isTooMuch = stored.length > MOST_BUFFERS || stored.some(({ bytes }) => bytes > mostBytes);
  if (isTooMuch || threads.some((count) => count !== threads[0])) return undefined;
  let end = 0;
  const branches: string[] = [];
  const texts = codes.map(({ code, own }, i) => {
    const [x, y, z] = (commands[i] as Command).grid;
    const at = `(at - ${end}u)`;
    end += x * y * z;
    const place = `vec3u(${at} % ${x}u, ${at} / ${x}u % ${y}u, ${at} / ${x * y}u)`;
    branches.push(`if (at < ${end}u) { main_${i}(${place}, vec3u(${x}, ${y}, ${z}), lane); }`);
    const text = code.replace(entry, "").replace(/@builtin\(\w+\)/g, "");
    const called = new Set([...text.matchAll(names)].map(([, name]) => name));
    return text.replace(words, (all, word: string, index: string) => {
      const here = own.get(word);
      const to = here && bound.get(here.key);
      // What bears the name of a buffer and is not indexed is local.
      if (to?.access === "uniform") return to.name + index;
      if (to && index) return `${to.name}[${(here.offset - to.offset) / here.width}u + `;
      return called.has(word) ? `${word}_${i}${index}` : all;
    });
  });
  const source = [
    ...buffers.map(({ number, text }) => `@group(0) @binding(${number}) ${text}`),
    ...kept,
    ...texts,
    `@compute @workgroup_size(${threads[0]})`,
    "fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) groups: vec3u,",
    "  @builtin(local_invocation_index) lane: u32) {",
    "  let at = workgroup.y * groups.x + workgroup.x;",
    `  ${branches.join("\n  else ")}`,
    "}",
  ].join("\n");
  const said = (what: "kernel" | "note" | "layer"): string =>
    [...new Set(commands.map((one) => one[what]))].join(" + ");
  const constants = commands.flatMap(({ constants }, i) =>
    Object.entries(constants).map(([name, value]) => [`${name}_${i}`, value] as const),
  );
  const shader = {
    ...{ source, holes: {}, constants: Object.fromEntries(constants), grid: fold(end), when: 0, parts: commands },
    ...{ kernel: said("kernel"), note: said("note"), layer: said("layer") },
  };
  return commandOf(shader, (name) => {
    const { arena, offset, bytes } = buffers.find((one) => one.name === name) as Binding;
    return { arena, offset, bytes };
  });
}
