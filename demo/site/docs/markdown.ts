// The Markdown that the texts of this repository use, as HTML: headings, paragraphs, lists, tables, fences, and within them code,
// links, pictures, bold and slanted words. What it does not know it refuses instead of guessing.

import { highlighted } from "./highlight.ts";
import { escaped, slugOf } from "./html.ts";

export interface Heading {
  readonly level: number;
  readonly id: string;
  /** As HTML. */
  readonly title: string;
}

export interface Rendered {
  readonly html: string;
  readonly headings: readonly Heading[];
}

export interface Ways {
  /** Where a link of the text leads from the page. */
  readonly link: (href: string) => string;
  /** Where code leads that is nothing but a public name; undefined: nowhere. */
  readonly code?: ((code: string) => string | undefined) | undefined;
  /** Names of headings that the page has already. */
  readonly taken?: Set<string> | undefined;
}

/** Around the number of what is kept: a letter that no text has. */
const MARK = "\uE000";
const marked = new RegExp(`${MARK}(\\d+)${MARK}`, "g");

/** Words within a paragraph, a cell or a heading. `plain` is for comments of code, where stars are stars. */
export function inline(text: string, ways: Ways, plain = false): string {
  const kept: string[] = [];
  const keep = (html: string): string => `${MARK}${kept.push(html) - 1}${MARK}`;
  let left = text.replace(/`([^`]+)`/g, (_, code: string) => {
    const inner = `<code>${escaped(code)}</code>`;
    const href = ways.code?.(code);
    return keep(href === undefined ? inner : `<a href="${escaped(href)}">${inner}</a>`);
  });
  if (!plain) {
    left = left.replace(/\\([|*_[\]<>])/g, (_, letter: string) => keep(escaped(letter)));
    left = left.replace(/&#(\d+);/g, (_, code: string) => keep(escaped(String.fromCharCode(Number(code)))));
    left = left.replace(/!\[([^\]]*)\]\(([^)\s]+)\)/g, (_, alt: string, source: string) =>
      keep(`<img src="${escaped(ways.link(source))}" alt="${escaped(alt)}" />`),
    );
    left = left.replace(
      /\[([^\]]+)\]\(([^)\s]+)\)/g,
      (_, words: string, href: string) => `${keep(`<a href="${escaped(ways.link(href))}">`)}${words}${keep("</a>")}`,
    );
    left = escaped(left)
      .replace(/\*\*(?=\S)(.+?)(?<=\S)\*\*/gs, "<strong>$1</strong>")
      .replace(/(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])/g, "<em>$1</em>")
      .replace(/(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)/g, "<em>$1</em>");
  } else left = escaped(left);
  // What was kept may hold what was kept before it.
  while (left.includes(MARK)) left = left.replace(marked, (_, i) => kept[Number(i)] as string);
  return left;
}

/** The cells of a row, without the borders. */
const cells = (row: string): string[] =>
  row
    .replace(/^\s*\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

function table(rows: readonly string[], ways: Ways): string {
  const [head = "", rule = "", ...body] = rows;
  const right = cells(rule).map((cell) => cell.endsWith(":"));
  const row = (text: string, tag: string): string =>
    `<tr>${cells(text)
      .map((cell, i) => `<${tag}${right[i] ? ' class="number"' : ""}>${inline(cell, ways)}</${tag}>`)
      .join("")}</tr>`;
  const titles = cells(head).some((cell) => cell !== "") ? `<thead>${row(head, "th")}</thead>` : "";
  const all = body.map((line) => row(line, "td")).join("\n");
  return `<div class="scroll" tabindex="0"><table>${titles}<tbody>\n${all}\n</tbody></table></div>`;
}

/** A name that no heading of the page has yet. */
export function freshName(title: string, taken: Set<string>): string {
  const slug = slugOf(title);
  let id = slug;
  for (let i = 1; taken.has(id); i++) id = `${slug}-${i}`;
  taken.add(id);
  return id;
}

export function markdown(text: string, ways: Ways): Rendered {
  const lines = text.split("\n");
  const headings: Heading[] = [];
  const taken = ways.taken ?? new Set<string>();
  let html = "";
  let at = 0;
  const line = (): string => lines[at] ?? "";
  /** Lines from here on as long as they are such. */
  const take = (is: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && is(line())) at++;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const fence = /^```(\S*)/.exec(line());
    const title = /^(#{1,6}) (.+)$/.exec(line());
    if (line().trim() === "") at++;
    else if (fence !== null) {
      at++;
      const code = take((one) => !one.startsWith("```")).join("\n");
      if (at++ >= lines.length) throw new Error("Markdown: a fence has no end.");
      html += `<pre tabindex="0"><code>${highlighted(code, fence[1])}</code></pre>\n`;
    } else if (title !== null) {
      const [, marks = "", words = ""] = title;
      const id = freshName(words, taken);
      const level = marks.length;
      headings.push({ level, id, title: inline(words, { ...ways, code: undefined }) });
      html += `<h${level} id="${id}">${inline(words, { ...ways, code: undefined })}</h${level}>\n`;
      at++;
    } else if (line().startsWith("|"))
      html += `${table(
        take((one) => one.startsWith("|")),
        ways,
      )}\n`;
    else if (/^([-*]|\d+\.) /.test(line())) {
      const tag = /^\d/.test(line()) ? "ol" : "ul";
      const all = take((one) => /^([-*]|\d+\.) |^ +\S/.test(one)).join("\n");
      const entries = all.split(/^(?:[-*]|\d+\.) /m).slice(1);
      html += `<${tag}>\n${entries.map((one) => `<li>${inline(one.trim(), ways)}</li>`).join("\n")}\n</${tag}>\n`;
    } else if (/^(<|>|---|\s{4})/.test(line())) throw new Error(`Markdown: "${line()}" begins with what is not known.`);
    else {
      const words = take((one) => one.trim() !== "" && !/^(```|#{1,6} |\||[-*] |\d+\. )/.test(one));
      html += `<p>${inline(words.join("\n"), ways)}</p>\n`;
    }
  }
  return { html, headings };
}
