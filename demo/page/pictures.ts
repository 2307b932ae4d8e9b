// Pictures of 28 x 28 pixels in a list.

import { find, make } from "./element.ts";

const SIZE = 28;
const PIXELS = SIZE * SIZE;

/** A picture with a name for those who do not see it. */
export function picture(label: string): HTMLCanvasElement {
  const canvas = make("canvas");
  canvas.width = canvas.height = SIZE;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

/** Draws the i-th of some images as ink: `ink` makes of a value how dark it is, from 0 to 1. */
export function draw(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  i: number,
  ink: (value: number) => number,
): void {
  const image = new ImageData(SIZE, SIZE);
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    image.data[4 * pixel + 3] = 255 * ink(values[i * PIXELS + pixel] as number);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** What is in the page's list of pictures, all of it. */
export function lay(...items: readonly HTMLElement[]): void {
  find("#pictures", HTMLUListElement).replaceChildren(...items.map((item) => make("li", "", item)));
}
