// npm run yours: the page of one's own network as a scripted visitor meets it, on the software adapter: five digits, ten examples each, 500
// others to judge; the ways beside each other; and three kinds of drawings. Ends with 1 where a mark is missed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { launchBrowser } from "../../demo/browser.ts";
import { readWords, whole } from "../../demo/command-line.ts";
import { dataFile } from "../../demo/data.ts";
import { buildSite } from "../../demo/site/build.ts";
import { addressOf, serveSite } from "../../demo/site/serve.ts";
import { drawings } from "../../demo/yours/given.ts";
import { give, type Pictures, someDigits } from "../page/yours-user.ts";
import { record } from "./record.ts";

/** Learnt of each class, and the seconds that it may take. */
const [EACH, MOST] = [10, 20];

const help = `npm run yours -- [options]
  --seconds N  how long training may take (default: ${MOST}); a machine with other work on it needs longer
  --record     writes the run that the page shows where there is no WebGPU, and measures nothing
  --help       this text

The page on which a network becomes one's own, as a visitor meets it who gives five digits, ten of each, and then three kinds of drawings.
Ends with 1 where a mark is missed.`;

const status = (page: Page, text: string) => page.getByRole("status").getByText(text).waitFor({ timeout: 600_000 });

const words = () => {
  try {
    const { given, set } = readWords(process.argv.slice(2), { names: ["seconds"], flags: ["record", "help"] });
    return { set, most: whole("--seconds", given.seconds ?? `${MOST}`, 1) };
  } catch (error) {
    console.error(`yours: ${(error as Error).message}`);
    return process.exit(1);
  }
};
const { set, most } = words();
if (set.has("help")) {
  console.log(help);
  process.exit();
}
if (set.has("record")) {
  await record();
  process.exit();
}

const folder = await mkdtemp(join(tmpdir(), "gradus-yours-"));
try {
  await buildSite(folder);
} catch (error) {
  // Networks that cannot be had, for one: what to do is said there.
  console.error(`yours: ${(error as Error).message}`);
  await rm(folder, { recursive: true, force: true });
  process.exit(1);
}
const [browser, server] = [await launchBrowser({ software: true }), await serveSite(folder)];

/** Gives pictures, trains, and says what the page says of the others: the part that is right, and seconds. */
async function visit(what: string, pictures: Pictures, mark: number, compares: boolean): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const classes = Math.max(...pictures.y) + 1;
  const held = pictures.y.length / classes - EACH;
  await page.goto(`${addressOf(server)}/yours/?classes=${classes}&held=${held}&seconds=${most}`);
  await status(page, "Ready");
  await give(page, pictures);
  const since = performance.now();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await status(page, "Finished");
  const passed = (performance.now() - since) / 1000;
  const said = (await page.locator("#seen-note").textContent()) ?? "";
  const [, right, seconds] = /^([\d.]+) %.* in ([\d.]+) s/.exec(said) ?? [];
  console.log(`${what}: ${said} From the press of the button to the end, judging included: ${passed.toFixed(1)} s.`);
  if (!(Number(right) > mark && Number(seconds) <= most)) {
    console.log(`  The mark is above ${mark} % within ${most} s of training.`);
    process.exitCode = 1;
  }
  if (compares) {
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.locator("#race-result").getByText("In the same seconds").waitFor({ timeout: 600_000 });
    for (const row of await page.locator("#race tbody tr").allInnerTexts())
      console.log(`  ${row.replaceAll("\t", ", ")} s`);
    console.log(`  ${await page.locator("#race-result").textContent()}`);
  }
  await page.close();
}

try {
  await visit("Five digits, 10 examples each", await someDigits(5, EACH + 100, 1), 85, true);
  const { learnt } = await drawings(dataFile, { each: EACH + 100, others: 0, seed: 1 });
  await visit("Cats, rainbows and trains, 10 drawings each", learnt, 90, false);
} finally {
  await browser.close();
  server.close();
  await rm(folder, { recursive: true, force: true });
}
