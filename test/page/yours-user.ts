// A visitor of the page of one's own network, scripted: gives files of pictures to each class, presses Start, and reads what the page says.

import type { Page } from "playwright";
import { loadDigits, PIXELS, readDigitsWith } from "../../demo/digits.ts";
import { readMnist } from "../../demo/mnist-files.ts";
import { pngOf } from "../../demo/train/png.ts";
import { drawn } from "../../demo/yours/given.ts";

export interface Pictures {
  /** Bytes of 28 x 28 pixels each, one after the other. */
  readonly x: Uint8Array;
  /** Which class each is of. */
  readonly y: Uint8Array;
}

/** So many digits of each class, of the first classes. */
export async function someDigits(classes: number, each: number, seed: number): Promise<Pictures> {
  readDigitsWith(readMnist);
  const labels = Array.from({ length: classes }, (_, digit) => [digit, String(digit)] as const);
  return drawn(await loadDigits("test"), labels, { each, others: 0, seed }).learnt;
}

/** Gives each class its pictures as PNG files, and waits until the page has them. */
export async function give(page: Page, { x, y }: Pictures): Promise<void> {
  for (let label = 0; label <= Math.max(...y); label++) {
    const files = [...y.keys()]
      .filter((i) => y[i] === label)
      .map((i) => ({
        name: `${i}.png`,
        mimeType: "image/png",
        buffer: pngOf({ height: 28, width: 28, pixels: x.subarray(i * PIXELS, (i + 1) * PIXELS) }),
      }));
    await page.getByLabel(`Pictures of class ${label + 1}`).setInputFiles(files);
    await page.locator("#classes li").nth(label).getByText(`${files.length} example`).waitFor();
  }
}
