// Parts of a text in Markdown by their names: what stands under a heading, and the answer to a question that begins in bold.

/** Whether a line stands within a fence, for each line. */
function fenced(lines: readonly string[]): boolean[] {
  let within = false;
  return lines.map((line) => {
    const edge = line.startsWith("```");
    if (edge) within = !within;
    return within || edge;
  });
}

export interface Part {
  readonly title: string;
  readonly text: string;
}

/** What stands before the first heading of the second level, without the title, and then each section. */
export function sections(text: string): Part[] {
  const lines = text.split("\n");
  const code = fenced(lines);
  const parts: { title: string; lines: string[] }[] = [{ title: "", lines: [] }];
  for (const [i, line] of lines.entries()) {
    const title = code[i] ? undefined : /^## (.+)$/.exec(line)?.[1];
    if (title !== undefined) parts.push({ title, lines: [] });
    else if (code[i] || !line.startsWith("# ")) parts.at(-1)?.lines.push(line);
  }
  return parts.map(({ title, lines: own }) => ({ title, text: own.join("\n").trim() }));
}

/** A section's questions: each begins with a bold one at the head of a paragraph, and ends where the next begins. */
export function questions(text: string): Part[] {
  const lines = text.split("\n");
  const code = fenced(lines);
  const parts: { title: string; lines: string[] }[] = [];
  for (const [i, line] of lines.entries()) {
    const starts = !code[i] && (i === 0 || lines[i - 1]?.trim() === "");
    const [whole, title] = (starts && /^\*\*([^*]+)\*\*[,:]?\s*/.exec(line)) || [];
    if (whole === undefined) parts.at(-1)?.lines.push(line);
    else {
      const rest = line.slice(whole.length);
      const own = [rest.charAt(0).toUpperCase() + rest.slice(1)];
      parts.push({ title: (title as string).replace(/[.:]$/, ""), lines: own });
    }
  }
  return parts.map(({ title, lines: own }) => ({ title, text: own.join("\n").trim() }));
}
