// Kernels that read weights of f16: each is written for f32, and here its text gets a function in place of every read of such a buffer. So no
// kernel knows of it, and all of them can.

import { bug } from "../errors.ts";

/** By what a buffer is an array of to the kernel: what of, with f16 in it, and how a number, or four, at `i` is had from it. */
const forms: Readonly<Record<string, readonly [words: string, body: (name: string) => string]>> = {
  f32: ["u32", (name) => `let two = unpack2x16float(${name}[i / 2u]); return select(two.x, two.y, i % 2u == 1u);`],
  vec4f: ["vec2u", (name) => `return vec4f(unpack2x16float(${name}[i].x), unpack2x16float(${name}[i].y));`],
};

/** The code of a kernel, without holes, for buffers of these names that hold f16. */
export const readingHalves = (code: string, names: readonly string[]): string =>
  names.reduce(readingHalf, code.replace(/\/\/.*$/gm, ""));

function readingHalf(code: string, name: string): string {
  const found = new RegExp(`(var<storage, ?read> ?${name}\\s*:\\s*array)<(\\w+)>`).exec(code);
  const [whole = "", head, type = ""] = found ?? [];
  // Some kernels have a word of their own for what they are an array of.
  const own = new RegExp(`alias ${type} ?= ?(\\w+);`).exec(code)?.[1] ?? type;
  const [words, body] = forms[own] ?? bug(`"${name}" of "${type}" has no form in f16`);
  // What bears the name of a buffer and is not indexed is local.
  const [begin, ...reads] = code.replace(whole, `${head}<${words}>`).split(new RegExp(`(?<![.\\w])${name}\\[`));
  const calls = reads.map((rest) => {
    const end = closing(rest);
    return `${name}_half(u32(${rest.slice(0, end)}))${rest.slice(end + 1)}`;
  });
  return `${begin}${calls.join("")}\nfn ${name}_half(i: u32) -> ${type} { ${body(name)} }\n`;
}

/** Where the bracket closes that was opened before a text. */
function closing(text: string): number {
  let open = 1;
  let at = -1;
  while (open > 0 && ++at < text.length) open += text[at] === "[" ? 1 : text[at] === "]" ? -1 : 0;
  return at;
}
