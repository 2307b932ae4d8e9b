// A Vite plugin for what the pages share in HTML: the comment `part: NAME` stands for demo/page/part/NAME.html, which may have parts, and a link of the
// navigation knows whether it leads to the page that it is on. A page that is built carries a policy: nothing but its own files.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const folder = fileURLToPath(new URL("../page/part", import.meta.url));

/** What a page of the site may load, for a `Content-Security-Policy`. Shaders are no scripts. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:";

const withParts = (html: string): string =>
  html.replace(/^( *)<!-- part: (\w+) -->\n/gm, (_, indent, name) =>
    withParts(readFileSync(join(folder, `${name}.html`), "utf8")).replace(/^(?=.)/gm, indent),
  );

export function pageParts(): Plugin {
  return {
    name: "parts",
    transformIndexHtml: {
      order: "pre",
      handler(html, { filename, server }) {
        const here = `href="../${basename(dirname(filename))}/"`;
        const whole = withParts(html).replace(here, `${here} aria-current="page"`);
        // While developing Vite puts styles and scripts into the page.
        const policy = { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY } };
        return server === undefined ? { html: whole, tags: [policy] } : whole;
      },
    },
  };
}
