// The pages of the API: each public name with its comment, its members with theirs, and its example, as the published types say it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript-5.4";
import { type ApiPage, apiPages } from "./contents.ts";
import { type Declared, declarationsIn } from "./declarations.ts";
import { highlighted } from "./highlight.ts";
import { escaped } from "./html.ts";
import { type Heading, inline } from "./markdown.ts";

export interface MadeApi extends ApiPage {
  readonly about: string;
  readonly html: string;
  readonly headings: readonly Heading[];
}

export interface Api {
  readonly pages: readonly MadeApi[];
  /** Where a public name is told of; one of this entry point before one of the core. */
  readonly find: (name: string, entry?: string) => string | undefined;
}

/** The file of src/ that each name of the core comes from, as its door says it. */
function origins(): Map<string, string> {
  const source = ts.createSourceFile("index.ts", readFileSync("src/index.ts", "utf8"), ts.ScriptTarget.ES2022);
  const found = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const { elements } = statement.exportClause as ts.NamedExports;
    for (const { name } of elements) found.set(name.text, (statement.moduleSpecifier as ts.StringLiteral).text);
  }
  return found;
}

/** What texts call objects of some classes. */
const owners: Readonly<Record<string, string>> = {
  "trainer.": "Trainer",
  "trainer.rates.": "LayerRates",
  "network.": "Network",
};

const kinds: readonly (readonly [title: string, kinds: readonly Declared["kind"][]])[] = [
  ["Functions and values", ["function", "value"]],
  ["Classes", ["class"]],
  ["Types", ["interface", "type"]],
];

/** A comment: paragraphs, in which stars are stars. */
const prose = (text: string, code: (name: string) => string | undefined): string =>
  text
    .split(/\n\s*\n/)
    .filter((one) => one !== "")
    .map((one) => `<p>${inline(one, { link: (href) => href, code }, true)}</p>`)
    .join("\n");

export function apiOf(folder: string, entries: readonly string[]): Api {
  const pages = apiPages(entries);
  const from = origins();
  const all = new Map<string, readonly Declared[]>();
  const place = new Map<string, string>();
  const shown = new Map<string, Declared[]>(pages.map(({ name }) => [name, []]));
  for (const entry of ["index", ...entries]) {
    const declared = declarationsIn(readFileSync(join(folder, `${entry}.d.ts`), "utf8"));
    all.set(entry, declared);
    for (const one of declared) {
      const origin = from.get(one.name);
      // What the core's types are made of stands with the ops, the lowest room.
      const page = pages.find((page) => page.entry === entry && (page.from?.test(origin ?? "./op/op.ts") ?? true));
      if (page === undefined) throw new Error(`Documentation: ${one.name} of ${origin} has no page. Add its room.`);
      shown.get(page.name)?.push(one);
      const at = `./${page.name}.html#`;
      place.set(`${entry} ${one.name}`, `${at}${one.name}`);
      for (const { name } of one.members) place.set(`${entry} ${one.name}.${name}`, `${at}${one.name}.${name}`);
    }
  }
  const find = (name: string, entry = "index"): string | undefined =>
    [entry, "index", ...entries].map((one) => place.get(`${one} ${name}`)).find((found) => found !== undefined);
  /** A name, or a name with what it is called with; `gradus/NAME` is an entry point, `trainer.NAME` a member of the trainer. */
  const code =
    (entry: string) =>
    (text: string): string | undefined => {
      const door = /^gradus\/([\w-]+)$/.exec(text)?.[1];
      if (door !== undefined) return entries.includes(door) ? `./api-${door}.html` : undefined;
      const [, path = "", name = ""] = /^((?:\w+\.)*)([A-Za-z]\w*)(?:\(.*\))?$/s.exec(text) ?? [];
      const owner = owners[path];
      return find(path === "" ? name : owner === undefined ? "" : `${owner}.${name}`, entry);
    };

  const made = pages.map((page): MadeApi => {
    const declared = shown.get(page.name) ?? [];
    const headings: Heading[] = [];
    let html = "";
    const link = (name: string): string | undefined => find(name, page.entry);
    const groups = kinds.map(
      ([title, of]) => [title, declared.filter((one) => one.exported && of.includes(one.kind))] as const,
    );
    for (const [title, ones] of [
      ...groups,
      ["What types are made of", declared.filter((one) => !one.exported)] as const,
    ]) {
      if (ones.length === 0) continue;
      const id = `-${title.toLowerCase().replaceAll(" ", "-")}`;
      headings.push({ level: 2, id, title });
      const names = ones.map(({ name }) => name).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
      html += `<h2 id="${id}">${title}</h2>\n`;
      html += `<ul class="names">${names.map((name) => `<li><a href="#${name}">${name}</a></li>`).join("\n")}</ul>\n`;
      for (const name of names) html += told(ones.find((one) => one.name === name) as Declared);
    }
    function told(one: Declared): string {
      const members = one.members.map(
        ({ name, text, comment }, i) =>
          `<dt${one.members.findIndex((other) => other.name === name) === i ? ` id="${one.name}.${name}"` : ""}><code>${highlighted(text.replace(/;$/, ""), "ts", link)}</code></dt>\n<dd>${prose(comment, code(page.entry))}</dd>`,
      );
      const example =
        one.example === "" ? "" : `<pre tabindex="0"><code>${highlighted(one.example, "ts", link)}</code></pre>\n`;
      return [
        `<section class="name" id="${one.name}">\n<h3><a href="#${one.name}">${one.name}</a></h3>\n`,
        `${prose(one.comment, code(page.entry))}\n`,
        `<pre class="signature" tabindex="0"><code>${highlighted(one.texts.join("\n"), "ts", link)}</code></pre>\n`,
        example,
        members.length === 0 ? "" : `<dl>\n${members.join("\n")}\n</dl>\n`,
        "</section>\n",
      ].join("");
    }
    const from = page.entry === "index" ? "gradus" : page.title;
    const about = `Public names of ${from}${page.entry === "index" ? `: ${page.title.toLowerCase()}` : ""}.`;
    const start = `<p>From <code>${escaped(from)}</code>. An error is always a typed one, of <a href="${find("GradusError")}"><code>GradusError</code></a>.</p>\n`;
    return { ...page, about, headings, html: start + html };
  });
  return { pages: made, find: (name, entry) => code(entry ?? "index")(name) };
}
