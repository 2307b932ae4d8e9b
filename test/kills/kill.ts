// Ends whoever writes checkpoints, at some point of a write and without a word, and looks at what is there: the last one that was known to be
// written, or one behind it.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { browserArguments, findBrowser } from "../../demo/browser.ts";
import { makeBundle } from "../../demo/bundle.ts";

export const places = ["file", "opfs", "indexedDb"] as const;
export type Place = (typeof places)[number];

/** What one kill left behind. */
export interface Kill {
  /** The last that was known to be written when the writer was ended. */
  readonly written: number;
  /** What was there afterwards; NaN where it is torn. */
  readonly found: number;
}

/** A writer that has begun. */
interface Writer {
  /** What it found. */
  readonly found: number;
  /** The last that it told of. */
  written(): number;
  kill(): Promise<void>;
}

/**
 * Whether a kill left the last one or a newer one, all of it: of those that a browser wrote just before its end the word may not have arrived, and
 * one is under way.
 */
export const isWhole = ({ written, found }: Kill): boolean => found >= written;

/** Kills so often, each after at least one write and at another point of the next ones. */
export async function killWhileWriting(place: Place, kills: number, told: (kill: Kill) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gradus-kills-"));
  const opened = place === "file" ? await processes(folder) : await browsers(folder, place);
  try {
    let writer = await opened.start();
    for (let i = 0; i < kills; i++) {
      while (Object.is(writer.written(), writer.found)) await sleep(1);
      // The golden ratio spreads the points over some writes.
      await sleep(40 * ((i * 0.6180339887) % 1));
      await writer.kill();
      const written = writer.written();
      writer = await opened.start();
      told({ written, found: writer.found });
    }
    await writer.kill();
  } finally {
    opened.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function processes(folder: string) {
  const script = await makeBundle({ entry: "test/kills/process.ts", kind: "process", folder });
  return {
    async start(): Promise<Writer> {
      const child = spawn(process.execPath, [script, join(folder, "run.safetensors")]);
      let [said, last] = ["", Number.NaN];
      child.stderr.on("data", (text) => {
        said += text;
      });
      const ended = new Promise<void>((done) => child.once("close", () => done()));
      const found = await new Promise<number>((resolve, reject) => {
        createInterface({ input: child.stdout }).on("line", (line) => {
          last = Number(line);
          resolve(last);
        });
        void ended.then(() => reject(new Error(`the writer ended by itself. ${said}`)));
      });
      return {
        found,
        written: () => last,
        async kill() {
          child.kill("SIGKILL");
          await ended;
        },
      };
    },
    close: () => undefined,
  };
}

async function browsers(folder: string, place: "opfs" | "indexedDb") {
  const script = readFileSync(await makeBundle({ entry: "test/kills/page.ts", kind: "page", folder }), "utf8");
  const server: Server = createServer(({ url }, response) => {
    response.setHeader("content-type", url === "/page.js" ? "text/javascript" : "text/html");
    response.end(url === "/page.js" ? script : '<script type="module" src="page.js"></script>');
  });
  await new Promise<void>((done) => server.listen(0, "localhost", done));
  const executablePath = await findBrowser();
  return {
    async start(): Promise<Writer> {
      const browser = await puppeteer.launch({
        ...{ executablePath, headless: true, userDataDir: join(folder, "profile") },
        args: browserArguments({ software: true }),
      });
      const page = await browser.newPage();
      let last = Number.NaN;
      page.on("console", (message) => {
        last = Number(message.text());
      });
      await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction("globalThis.beginWriting !== undefined");
      const found = (await page.evaluate(`beginWriting("${place}")`)) as number;
      last = found;
      const child = browser.process();
      return {
        found,
        written: () => last,
        async kill() {
          const ended = new Promise<void>((done) => child?.once("exit", () => done()));
          // All processes of the browser, which are a group: one that lived on would hold the files that the next browser opens.
          if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          await ended;
          await sleep(50); // the last lines arrive
        },
      };
    },
    close: () => server.close(),
  };
}
