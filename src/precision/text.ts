// Kernels are written for f32. Here the text of one is made to read and write what lies as f16, to scale where gradients begin and to
// unscale where those of weights are stored: each place that indexes such a buffer becomes another expression, and no kernel knows of it.

/** What a buffer holds in the place of what the kernel knows: the type that lies there. */
const halves: Readonly<Record<string, string>> = { f32: "f16", vec4f: "vec4h" };

export interface Change {
  /** Of the buffer. */
  readonly name: string;
  readonly half: boolean;
  /** What is stored is multiplied by: an expression. */
  readonly factor?: string | undefined;
}

/** The code of a kernel, without holes and comments, with these changes. */
export const changed = (code: string, changes: readonly Change[]): string => changes.reduce(changedBuffer, code);

function changedBuffer(code: string, { name, half, factor }: Change): string {
  const [whole = "", head = "", type = ""] =
    new RegExp(`(var<storage, ?read(?:_write)?> ?${name}\\s*:\\s*array)<(\\w+)>`).exec(code) ?? [];
  // Some kernels have a word of their own for what they are an array of.
  const own = new RegExp(`alias ${type} ?= ?(\\w+);`).exec(code)?.[1] ?? type;
  const lies = half ? halves[own] : own;
  if (lies === undefined) throw new Error(`gradus: "${name}" of "${type}" has no form in f16. Please report this.`);
  // What bears the name of a buffer and is not indexed is local.
  const [begin = "", ...rest] = code.replace(whole, `${head}<${lies}>`).split(new RegExp(`(?<![.\\w])${name}\\[`));
  let text = begin;
  for (const piece of rest) {
    const end = closing(piece);
    const index = `${name}[${piece.slice(0, end)}]`;
    const after = piece.slice(end + 1);
    const store = /^\s*=(?!=)/.exec(after)?.[0];
    if (store === undefined) {
      text += (half ? `${own}(${index})` : index) + after;
      continue;
    }
    const stop = after.indexOf(";");
    if (stop < 0) throw new Error(`gradus: what is stored in "${name}" is made of it. Please report this.`);
    const value = after.slice(store.length, stop).trim();
    const scaled = factor === undefined ? value : `(${value}) * ${factor}`;
    text += `${index} = ${half ? `${lies}(${scaled})` : scaled}${after.slice(stop)}`;
  }
  return text;
}

/** Where the bracket closes that was opened before a text. */
function closing(text: string): number {
  let open = 1;
  let at = -1;
  while (open > 0 && ++at < text.length) open += text[at] === "[" ? 1 : text[at] === "]" ? -1 : 0;
  return at;
}
