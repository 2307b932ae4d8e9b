// A page of the documentation around its text: the frame of the site, the contents list, and what the page has below its headings.
// It needs no script; on a narrow screen the contents follow the text, and a link leads there.

import { readFileSync } from "node:fs";
import { POLICY } from "../parts.ts";
import { escaped } from "./html.ts";
import type { Heading } from "./markdown.ts";

const part = (name: string): string =>
  readFileSync(new URL(`../../page/part/${name}.html`, import.meta.url), "utf8").trim();

/** The icon alone: a page of text needs one style sheet, which has what it takes of the others. */
const head = part("head").replace(/<link rel="stylesheet"[^>]*>\n?/g, "");
const brand = part("brand")
  .replace(/<(\/?)h1>/g, (_, slash) => (slash ? "</p>" : '<p class="brand">'))
  .replace('href="../docs/"', 'href="../docs/" aria-current="page"');

export interface Link {
  readonly name: string;
  readonly title: string;
}

export interface List {
  readonly title: string;
  readonly links: readonly Link[];
}

export interface Framed {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly html: string;
  readonly headings: readonly Heading[];
}

function contents(lists: readonly List[], here: string): string {
  const entry = ({ name, title }: Link): string =>
    `<li><a href="./${name}.html"${name === here ? ' aria-current="page"' : ""}>${escaped(title)}</a></li>`;
  return lists
    .map(({ title, links }) => `<h2>${escaped(title)}</h2>\n<ul>\n${links.map(entry).join("\n")}\n</ul>`)
    .join("\n");
}

function below(headings: readonly Heading[]): string {
  const shown = headings.filter(({ level }) => level === 2);
  if (shown.length < 2) return "";
  const entries = shown.map(({ id, title }) => `<li><a href="#${id}">${title}</a></li>`);
  return `<nav class="below" aria-label="On this page"><ul>${entries.join("\n")}</ul></nav>\n`;
}

/** The whole page; `root` is where the site begins, from the page. */
export function framed({ name, title, about, html, headings }: Framed, lists: readonly List[], root = "../"): string {
  const docs = `${root}docs/`;
  return `<!doctype html>
<html lang="en">
<head>
<meta http-equiv="Content-Security-Policy" content="${POLICY}" />
${head}
<meta name="description" content="${escaped(about)}" />
<title>Gradus: ${escaped(title)}</title>
<link rel="stylesheet" href="${root === "../" ? "./" : docs}docs.css" />
</head>
<body>
<header>
${brand.replaceAll('href="../', `href="${root}`)}
<a class="to-contents" href="#contents">Contents</a>
</header>
<div class="columns">
<main>
<h1>${escaped(title)}</h1>
${below(headings)}${html}</main>
<nav class="contents" id="contents" aria-label="Documentation">
${contents(lists, name).replaceAll('href="./', `href="${root === "../" ? "./" : docs}`)}
</nav>
</div>
</body>
</html>
`;
}
