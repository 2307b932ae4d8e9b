// Texts of kernels that read what a buffer does not hold as they were written for: a function stands in place of every read of it. So each
// is written for f32, no kernel knows of f16, and all of them can read weights of it.

import { bug } from "../errors.ts";

/** By what a buffer is an array of to the kernel: what of, with f16 in it, and how a number, or four, at `i` is had from it. */
const forms: Readonly<Record<string, readonly [words: string, body: (name: string) => string]>> = {
  f32: ["u32", (name) => `let two = unpack2x16float(${name}[i / 2u]); return select(two.x, two.y, i % 2u == 1u);`],
  vec4f: ["vec2u", (name) => `return vec4f(unpack2x16float(${name}[i].x), unpack2x16float(${name}[i].y));`],
};

/** The code of a kernel, without holes, for buffers of these names that hold f16. */
export const readingHalves = (code: string, names: readonly string[]): string =>
  names.reduce(
    (text, name) => reading(text, name, (type) => forms[type] ?? bug(`"${name}" of "${type}" has no form in f16`)),
    withoutComments(code),
  );

/** What four of a type are. */
export const fours: Readonly<Record<string, string>> = { f32: "vec4f", f16: "vec4h" };

/** The same for a buffer that holds its numbers in fours. */
export const readingFours = (code: string, name: string): string =>
  reading(withoutComments(code), name, (type) => [
    fours[type] ?? bug(`"${name}" of "${type}" has no fours`),
    (all) => `return ${all}[i / 4u][i % 4u];`,
  ]);

const withoutComments = (code: string): string => code.replace(/\/\/.*$/gm, "");

const declarationOf = (code: string, name: string): RegExpExecArray | null =>
  new RegExp(`(var<storage, ?\\w+> ?${name}\\s*:\\s*array)<(\\w+)>`).exec(code);

/** What a buffer is an array of; some kernels have a word of their own for that. */
export function elementOf(code: string, name: string): string {
  const type = declarationOf(code, name)?.[2] ?? "";
  return new RegExp(`alias ${type} ?= ?(\\w+);`).exec(code)?.[1] ?? type;
}

function reading(code: string, name: string, formOf: (type: string) => (typeof forms)[string]): string {
  const [whole = "", head, type = ""] = declarationOf(code, name) ?? [];
  const [words, body] = formOf(elementOf(code, name));
  // What bears the name of a buffer and is not indexed is local.
  const [begin, ...reads] = code.replace(whole, `${head}<${words}>`).split(new RegExp(`(?<![.\\w])${name}\\[`));
  const calls = reads.map((rest) => {
    const end = closing(rest);
    return `${name}_read(u32(${rest.slice(0, end)}))${rest.slice(end + 1)}`;
  });
  return `${begin}${calls.join("")}\nfn ${name}_read(i: u32) -> ${type} { ${body(name)} }\n`;
}

/** Where the bracket closes that was opened before a text. */
function closing(text: string): number {
  let open = 1;
  let at = -1;
  while (open > 0 && ++at < text.length) open += text[at] === "[" ? 1 : text[at] === "]" ? -1 : 0;
  return at;
}
