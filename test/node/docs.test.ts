// The texts of the repository: each link leads to a file that is there and to a heading that it has, each part of README stands on a
// page of the documentation, and a page tries a preset that there is. The pages themselves are looked at where they are built.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { controllers, presets } from "../../demo/digits/preset.ts";
import { chapters } from "../../demo/site/docs/contents.ts";
import { highlighted } from "../../demo/site/docs/highlight.ts";
import { markdown } from "../../demo/site/docs/markdown.ts";
import { partsOf } from "../../demo/site/docs/pages.ts";
import { parity } from "../../demo/site/docs/parity.ts";
import { questions, sections } from "../../demo/site/docs/section.ts";

const read = (file: string): string => readFileSync(file, "utf8");
const texts = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", ...readdirSync("docs").map((name) => `docs/${name}`)]
  .filter((file) => file.endsWith(".md"))
  .map((file) => [file, read(file)] as const);
const pages = chapters.flatMap((chapter) => chapter.pages);

/** Where the links of a text lead, and its headings. */
function seen(text: string) {
  const links: string[] = [];
  const { headings } = markdown(text, {
    link(href) {
      links.push(href);
      return href;
    },
  });
  return { links, ids: headings.map(({ id }) => id) };
}

test.each(texts)("links of %s", (file, text) => {
  const wrong = seen(text).links.filter((href) => {
    if (href.startsWith("https://")) return false;
    const [path = "", anchor] = href.split("#");
    const target = path === "" ? file : normalize(join(dirname(file), path));
    if (!existsSync(target)) return true;
    return anchor !== undefined && (statSync(target).isDirectory() || !seen(read(target)).ids.includes(anchor));
  });
  expect(wrong).toEqual([]);
});

test("each section and each question of README stands on a page, once", () => {
  const all = sections(read("README.md")).flatMap((part) =>
    part.title === "First questions" ? questions(part.text) : [part],
  );
  const used = pages.flatMap(({ sources }) =>
    sources.filter(({ file }) => file === "README.md").flatMap((source) => partsOf(source)),
  );
  expect(used.map(({ title }) => title).sort()).toEqual(all.map(({ title }) => title).sort());
});

test("each text of docs/ is a page, or a part of one", () => {
  const used = pages.flatMap(({ sources }) => sources.map(({ file }) => file));
  expect(texts.map(([file]) => file).filter((file) => !used.includes(file))).toEqual([]);
});

test("a page has a name of its own, and what it lets try is there", () => {
  expect(new Set(pages.map(({ name }) => name)).size).toBe(pages.length);
  for (const [address] of pages.flatMap(({ live = [] }) => live)) {
    const { pathname, searchParams } = new URL(address, "http://localhost");
    expect(existsSync(`demo${pathname}index.html`), address).toBe(true);
    const { preset = "one rate", control = "none", ...others } = Object.fromEntries(searchParams);
    expect(presets, address).toHaveProperty([preset]);
    expect(controllers, address).toHaveProperty([control]);
    expect(others).toEqual({});
  }
});

test("the page of parity says what the numbers say", () => {
  const { runtimes } = JSON.parse(read("docs/runtimes.json"));
  const text = parity();
  for (const { version, passed } of runtimes) expect(text, version).toContain(`| ${passed.toLocaleString("en-US")} |`);
  expect(text).not.toMatch(/NaN|undefined/);
});

describe("Markdown", () => {
  const html = (text: string): string => markdown(text, { link: (href) => `to:${href}` }).html.trim();

  test.each([
    ["a & b < c", "<p>a &amp; b &lt; c</p>"],
    [
      "**bold**, *slanted*, _too_, 2 * 3 * 4, a_b_c",
      "<p><strong>bold</strong>, <em>slanted</em>, <em>too</em>, 2 * 3 * 4, a_b_c</p>",
    ],
    ["`**.bias` and `<b>`", "<p><code>**.bias</code> and <code>&lt;b&gt;</code></p>"],
    ['[a `b`](x.md "no)', "<p>[a <code>b</code>](x.md &quot;no)</p>"],
    ["[a `b`](x.md#y)", '<p><a href="to:x.md#y">a <code>b</code></a></p>'],
    ["![p](p.svg)", '<p><img src="to:p.svg" alt="p" /></p>'],
    ["&#124;dw&#124;", "<p>|dw|</p>"],
    ["- one\n  more\n- two", "<ul>\n<li>one\n  more</li>\n<li>two</li>\n</ul>"],
    ["1. one\n2. two", "<ol>\n<li>one</li>\n<li>two</li>\n</ol>"],
    ["## A *b*, c?", '<h2 id="a-b-c">A <em>b</em>, c?</h2>'],
    ["```\n<a> # **b**\n```", '<pre tabindex="0"><code>&lt;a&gt; # **b**</code></pre>'],
  ])("%s", (text, expected) => expect(html(text)).toBe(expected));

  test("tables: a bar that is escaped is none, numbers stand on the right, and a head of nothing is left out", () => {
    expect(html("| a | b |\n| --- | --: |\n| x \\| y | 1 |")).toContain(
      '<thead><tr><th>a</th><th class="number">b</th></tr></thead><tbody>\n<tr><td>x | y</td><td class="number">1</td></tr>',
    );
    expect(html("|  |  |\n| --- | --- |\n| x | y |")).not.toContain("thead");
  });

  test("headings of one name have names of their own in the address", () => {
    expect(seen("# A\n\n## A\n\n```\n# no\n```").ids).toEqual(["a", "a-1"]);
  });

  test.each(["<b>raw</b>", "> quoted", "```\nno end"])("what it does not know is refused: %s", (text) => {
    expect(() => html(text)).toThrow("Markdown: ");
  });

  test("code in colours says what it said", () => {
    const code = 'const a = `x`; // "b" <c>\nfoo("d", 0x1f); /* e */';
    const colours = highlighted(code, "ts", (name) => (name === "foo" ? "#foo" : undefined));
    expect(colours).toContain('<a href="#foo">foo</a>');
    expect(colours).toContain('<span class="comment">// &quot;b&quot; &lt;c&gt;</span>');
    expect(
      colours
        .replace(/<[^>]+>/g, "")
        .replace(/&(lt|gt|quot);/g, (_, name) => ({ lt: "<", gt: ">", quot: '"' })[name as "lt"]),
    ).toBe(code);
  });
});
