// Code in colours: comments, strings, numbers and words of the language, by one expression. Whatever it does not know stays as it is.

import { escaped } from "./html.ts";

const words =
  "as async await break case catch class const continue declare default do else export extends false finally for from function get if " +
  "implements import in infer instanceof interface keyof let new null of readonly return set static switch this throw true try type " +
  "typeof undefined unknown void while yield boolean number string never object";

const script = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`,
    "(?<string>\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*'|`(?:[^`\\\\]|\\\\[\\s\\S])*`)",
    String.raw`(?<number>\b\d[\w.]*\b)`,
    String.raw`(?<word>\b(?:${words.replaceAll(" ", "|")})\b)`,
    String.raw`(?<name>[A-Za-z_$][\w$]*)`,
  ].join("|"),
  "g",
);
const shell = /(?<comment>(?<=^|\s)#[^\n]*)/g;

/** `link` may make a link of a name. */
export function highlighted(code: string, language = "ts", link?: (name: string) => string | undefined): string {
  const by = /^(ts|js|typescript|javascript)$/.test(language) ? script : language === "sh" ? shell : undefined;
  if (by === undefined) return escaped(code);
  let html = "";
  let at = 0;
  for (const match of code.matchAll(by)) {
    const [text] = match;
    html += escaped(code.slice(at, match.index));
    at = match.index + text.length;
    const [kind] = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined) ?? [];
    const href = kind === "name" ? link?.(text) : undefined;
    if (kind === "name") html += href === undefined ? escaped(text) : `<a href="${escaped(href)}">${escaped(text)}</a>`;
    else html += `<span class="${kind}">${escaped(text)}</span>`;
  }
  return html + escaped(code.slice(at));
}
