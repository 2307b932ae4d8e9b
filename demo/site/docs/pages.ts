// All files of the documentation, made of what is in the repository: pages by their contents list, the API by the published types,
// and each file that a text leads to. What leads nowhere is an error.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, normalize } from "node:path";
import { entries } from "../../build/entries.ts";
import { writeTypes } from "../../build/write-types.ts";
import { type Api, apiOf } from "./api.ts";
import { chapters, type Page, type Source } from "./contents.ts";
import { framed, type List } from "./frame.ts";
import { escaped } from "./html.ts";
import { type Heading, markdown, type Ways } from "./markdown.ts";
import { parity } from "./parity.ts";
import { type Part, questions, sections } from "./section.ts";

/** Texts that are made of numbers when they are asked for. */
const made: Readonly<Record<string, () => string>> = { "docs/parity.md": parity };

/** A file as it comes along: numbers without blanks between them, of which there are many. */
const cameAlong = (file: string): string | Uint8Array =>
  file.endsWith(".json") ? JSON.stringify(JSON.parse(readFileSync(file, "utf8"))) : readFileSync(file);

const textOf = (file: string): string => made[file]?.() ?? readFileSync(file, "utf8");

/** The parts of a text that a page asks for. */
export function partsOf({ file, sections: titles, questions: asked }: Source): Part[] {
  const all = sections(textOf(file));
  if (titles === undefined && asked === undefined) return all;
  const from = asked === undefined ? all : all.flatMap(({ text }) => questions(text));
  return (asked ?? titles ?? []).map((title) => {
    const found = from.find((part) => part.title === title);
    if (found === undefined) throw new Error(`Documentation: ${file} has no "${title}". Mend contents.ts.`);
    return found;
  });
}

/** Names of files below `docs/`, and what they hold. */
export type Files = ReadonlyMap<string, string | Uint8Array>;

/** Makes them all; types are written on the way, which takes some seconds. */
export function documentation(): Files {
  const folder = mkdtempSync(join(tmpdir(), "gradus-docs-"));
  try {
    writeTypes(folder);
    return filesOf(apiOf(folder, entries));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function filesOf(api: Api): Files {
  const files = new Map<string, string | Uint8Array>();
  const guide = chapters.flatMap(({ pages }) => pages);
  /** Pages that have all of a file. */
  const owners = new Map(
    guide.flatMap(({ name, sources }) =>
      sources
        .filter((one) => one.sections === undefined && one.questions === undefined)
        .map(({ file }) => [file, name] as const),
    ),
  );
  owners.set("README.md", "index");
  const lists: readonly List[] = [
    ...chapters.map(({ title, pages }) => ({ title, links: pages })),
    { title: "API", links: api.pages },
  ];

  /** A link of a text: to the page that has that text, or to the file itself, which then comes along. */
  const linkFrom =
    (file: string) =>
    (href: string): string => {
      if (/^(https?:|#)/.test(href)) return href;
      const [path = "", anchor] = href.split("#");
      const target = normalize(join(dirname(file), path)).replace(/\/$/, "");
      const end = anchor === undefined ? "" : `#${anchor}`;
      const owner = owners.get(target);
      if (owner !== undefined) return `./${owner}.html${end}`;
      if (!existsSync(target)) throw new Error(`Documentation: ${file} leads to ${href}, which is not there.`);
      if (!statSync(target).isDirectory()) {
        files.set(`files/${target}`, cameAlong(target));
        return `./files/${target}`;
      }
      const names = readdirSync(target).sort();
      for (const name of names) files.set(`files/${target}/${name}`, cameAlong(join(target, name)));
      const entry = (name: string): string => `<li><a href="./files/${target}/${name}">${name}</a></li>`;
      const page = `files-${target.replaceAll("/", "-")}`;
      const title = `Files of ${target}`;
      const html = `<ul>\n${names.map(entry).join("\n")}\n</ul>\n`;
      files.set(`${page}.html`, framed({ name: page, title, about: title, html, headings: [] }, lists));
      return `./${page}.html`;
    };

  function textPage({ name, title, about, sources, live = [], entry }: Page): void {
    const headings: Heading[] = [];
    const taken = new Set<string>(["contents"]);
    let html = "";
    for (const source of sources) {
      const ways: Ways = { link: linkFrom(source.file), code: (text) => api.find(text, entry), taken };
      for (const part of partsOf(source)) {
        const whole = ["", title].includes(part.title) ? part.text : `## ${part.title}\n\n${part.text}`;
        const rendered = markdown(whole, ways);
        headings.push(...rendered.headings);
        html += rendered.html;
      }
    }
    const tries = live.map(
      ([address, words]) => `<li><a href="../${escaped(address.replaceAll(" ", "%20"))}">${escaped(words)}</a></li>`,
    );
    const panel =
      tries.length === 0
        ? ""
        : `<aside class="panel live" aria-label="Live"><p>Live, in this browser:</p><ul>${tries.join("\n")}</ul></aside>\n`;
    files.set(`${name}.html`, framed({ name, title, about, html: panel + html, headings }, lists));
  }

  for (const page of guide) textPage(page);
  for (const page of api.pages) files.set(`${page.name}.html`, framed(page, lists));
  const card = (name: string, title: string, about: string): string =>
    `<li><a href="./${name}.html">${escaped(title)}</a> ${escaped(about)}</li>`;
  const start = [...chapters.map(({ title, pages }) => [title, pages] as const), ["API", api.pages] as const].map(
    ([title, pages]) =>
      `<h2 id="${title.toLowerCase().replaceAll(" ", "-")}">${title}</h2>\n<ul class="cards">\n${pages
        .map((page) => card(page.name, page.title, page.about))
        .join("\n")}\n</ul>\n`,
  );
  const about = "Train neural networks on WebGPU, each layer at its own learning rate.";
  const index = { name: "index", title: "Documentation", about, html: start.join(""), headings: [] };
  files.set("index.html", framed(index, lists));
  const style = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
  files.set("docs.css", `${style("../../page/style/page.css")}\n${style("docs.css")}`);
  return files;
}

/** The media type of a file of the documentation. */
export const typeOf = (name: string): string =>
  ({ html: "text/html; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", png: "image/png" })[
    basename(name).split(".").at(-1) ?? ""
  ] ?? "text/plain; charset=utf-8";
