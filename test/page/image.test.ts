// Pictures as a browser has them, from the packed files under a strict policy: of each kind the samples are those of the same pixels as bytes, twice with
// the same bits, and what a page may not read, or what shows nothing yet, is refused by a typed error.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";
import { buildEntries } from "../../demo/build/entries.ts";
import { pngOf } from "../../demo/train/png.ts";
import { resized } from "../reference/resized.ts";

const WIDTH = 61;
const HEIGHT = 40;
const SHAPE = [12, 15, 3] as const;

const main = `
import * as gradus from "./gradus.js";
import { fromPixels } from "./image.js";
const { compile, conv2d, meanSquaredError, sequential } = gradus;
const mirror = async (input) => {
  const trainer = await compile(sequential([conv2d(3, { kernel: 1, bias: false })]), { input, batch: 1, loss: meanSquaredError(), scale: false });
  trainer.setWeights({ "0.weight": { shape: [1, 1, 3, 3], data: [1, 0, 0, 0, 1, 0, 0, 0, 1] } });
  return trainer;
};
const canvas = document.createElement("canvas");
canvas.width = ${WIDTH};
canvas.height = ${HEIGHT};
const context = canvas.getContext("2d", { willReadFrequently: true });
/** Patches of one colour, so that a video, which has fewer colours than pixels, shows what was drawn. */
const draw = (salt) => {
  for (let y = 0; y < ${HEIGHT}; y += 10) for (let x = 0; x < ${WIDTH}; x += 10) {
    context.fillStyle = "rgb(" + [x * 4, y * 6, (x + y + 90 * salt) % 256].join() + ")";
    context.fillRect(x, y, 10, 10);
  }
};
draw(0);
const kinds = {
  ImageData: () => context.getImageData(0, 0, ${WIDTH}, ${HEIGHT}),
  "a plain record": () => { const { data, width, height } = kinds.ImageData(); return { data: new Uint8Array(data), width, height }; },
  ImageBitmap: () => createImageBitmap(canvas),
  HTMLCanvasElement: () => canvas,
  OffscreenCanvas: () => {
    const own = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
    own.getContext("2d").drawImage(canvas, 0, 0);
    return own;
  },
  HTMLImageElement: async () => {
    const image = new Image();
    image.src = canvas.toDataURL();
    await image.decode();
    return image;
  },
  VideoFrame: () => new VideoFrame(canvas, { timestamp: 0 }),
  HTMLVideoElement: async () => {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = canvas.captureStream();
    const shown = new Promise((done) => video.requestVideoFrameCallback(done));
    const drawing = setInterval(() => draw(0), 20);
    await video.play();
    await shown;
    clearInterval(drawing);
    return video;
  },
};
const failed = (promise) => promise.then(() => "none", (error) => [error instanceof (gradus[error.name] ?? Error), error.name + ": " + error.message]);
Object.assign(globalThis, { gradus, mirror, kinds, fromPixels, failed, canvas, draw });
document.title = "ready";`;

let folder: string;
let servers: Server[] = [];
let browser: Browser;
let tab: Page;

const listen = async (handler: Parameters<typeof createServer>[1]): Promise<string> => {
  const server = createServer(handler as never);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

let stranger: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gradus-image-"));
  await build({ build: { outDir: folder }, logLevel: "error" });
  await buildEntries(folder, ["image"]);
  const png = pngOf({ height: 4, width: 4, pixels: new Uint8Array(16).fill(99) });
  stranger = await listen((_, response) => response.setHeader("content-type", "image/png").end(png));
  const own = await listen(({ url = "" }, response) => {
    const name = url.slice(1);
    const isScript = name.endsWith(".js");
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    const policy = `default-src 'none'; script-src 'self'; img-src data: ${stranger}`;
    response.setHeader("content-security-policy", policy);
    if (name === "main.js") response.end(main);
    else if (isScript) response.end(readFileSync(join(folder, name)));
    else response.end('<script type="module" src="main.js"></script>');
  });
  browser = await launchBrowser({ software: true });
  tab = await browser.newPage();
  await tab.goto(own);
  await tab.waitForFunction(() => document.title === "ready");
});

afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
  servers = [];
  rmSync(folder, { recursive: true, force: true });
});

/** What a page's script says in the end. It is code of the page, which has no types. */
const onPage = <Said>(script: string): Promise<Said> => tab.evaluate(`(async () => { ${script} })()`);

/** What an image may be off by, of 255: a video's colours are packed for it. */
const kinds: readonly (readonly [kind: string, apart: number])[] = [
  ["ImageData", 1e-3],
  ["a plain record", 1e-3],
  ["ImageBitmap", 1e-3],
  ["HTMLCanvasElement", 1e-3],
  ["OffscreenCanvas", 1e-3],
  ["HTMLImageElement", 1e-3],
  ["VideoFrame", 1e-3],
  ["HTMLVideoElement", 12],
];

test.each(kinds)("%s gives the samples of its pixels, and the same bits twice", async (kind, most) => {
  const { data, first, second } = await onPage<{ data: number[]; first: number[]; second: number[] }>(`
    const trainer = await mirror(${JSON.stringify(SHAPE)});
    const said = [];
    const source = await kinds[${JSON.stringify(kind)}]();
    for (let i = 0; i < 2; i++) {
      const samples = await fromPixels(trainer, source, { dtype: "f32" });
      said.push([...(await trainer.predict(samples)).data]);
      samples.dispose();
    }
    trainer.dispose();
    const data = [...kinds.ImageData().data];
    return { data, first: said[0], second: said[1] };`);
  expect(second).toEqual(first);
  const wanted = resized({ data: Uint8Array.from(data), width: WIDTH, height: HEIGHT }, SHAPE);
  const apart = Math.max(...wanted.map((value, i) => Math.abs(value - (first[i] as number))));
  expect(apart).toBeLessThan(most);
});

test("pictures of all kinds and sizes are samples of one set, with what is drawn when it is asked", async () => {
  const apart = await onPage<number[]>(`
    const trainer = await mirror([8, 8, 3]);
    const all = await Promise.all(["ImageBitmap", "ImageData", "OffscreenCanvas", "VideoFrame"].map((kind) => kinds[kind]()));
    const small = new OffscreenCanvas(9, 30);
    small.getContext("2d").fillRect(0, 0, 9, 30);
    const together = await trainer.predict(await fromPixels(trainer, [...all, small, small, canvas]));
    const alone = [];
    for (const one of [...all, small, small, canvas]) alone.push(...(await trainer.predict(await fromPixels(trainer, one))).data);
    const eye = await fromPixels(trainer, canvas);
    draw(1);
    await fromPixels(trainer, canvas, { into: eye });
    const seen = (await trainer.predict(eye)).data;
    const anew = (await trainer.predict(await fromPixels(trainer, kinds.ImageData()))).data;
    draw(0);
    const far = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
    return [far(together.data, alone), far(seen, anew), far(seen, alone.slice(-192))];`);
  expect(apart.slice(0, 2)).toEqual([0, 0]);
  expect(apart[2]).toBeGreaterThan(50);
});

test("what has nothing to see, or is not to be read, is a typed error", async () => {
  const said = await onPage<readonly [boolean, string][]>(`
    const trainer = await mirror([8, 8, 3]);
    const bitmap = await kinds.ImageBitmap();
    bitmap.close();
    const frame = kinds.VideoFrame();
    frame.close();
    const tainted = document.createElement("canvas");
    const image = new Image();
    image.src = ${JSON.stringify(stranger)};
    await image.decode();
    tainted.getContext("2d").drawImage(image, 0, 0);
    const wide = new OffscreenCanvas(20000, 2);
    wide.getContext("2d");
    return Promise.all(
      [bitmap, frame, new Image(), document.createElement("video"), tainted, image, wide].map((one) => failed(fromPixels(trainer, [canvas, one])))
    );`);
  const wanted = [
    "DataError: fromPixels: x[1], an ImageBitmap, is empty",
    "DataError: fromPixels: x[1], a VideoFrame, is empty",
    "DataError: fromPixels: x[1], an HTMLImageElement, is empty",
    "DataError: fromPixels: x[1], an HTMLVideoElement, is empty",
    "DataError: fromPixels: x[1] holds what another origin does not let pages read",
    "DataError: fromPixels: x[1] holds what another origin does not let pages read",
    "LimitError: fromPixels: x[1] has 20000 x 2 pixels, this device takes ",
  ];
  for (const [i, [isTyped, message]] of said.entries()) {
    expect(message).toContain(wanted[i]);
    expect(isTyped).toBe(true);
  }
});

test("where a runtime copies no pictures the error says what to give", async () => {
  const said = await onPage<[boolean, string]>(`
    const trainer = await mirror([8, 8, 3]);
    const { copyExternalImageToTexture } = GPUQueue.prototype;
    delete GPUQueue.prototype.copyExternalImageToTexture;
    try {
      return await failed(fromPixels(trainer, canvas));
    } finally {
      GPUQueue.prototype.copyExternalImageToTexture = copyExternalImageToTexture;
    }`);
  expect(said).toEqual([true, expect.stringMatching(/^DataError: .*copies no pictures.*\{ data, width, height \}/)]);
});
