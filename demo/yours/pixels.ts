// From what somebody gives to the bytes that a network takes: the middle of a picture as a square, in colours, or in shades of grey with
// the strokes light on dark, as drawings were when the network learnt.

import { make } from "../page/element.ts";
import { type NetworkName, networks } from "./networks.ts";

/** The side that a picture is kept in: the most that a network here can take. */
const KEPT = 224;

const surface = (side: number): [HTMLCanvasElement, CanvasRenderingContext2D] => {
  const canvas = make("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null)
    throw new Error("This browser gives no canvas to draw on. Close other pages, and load this one again.");
  context.imageSmoothingQuality = "high";
  return [canvas, context];
};

/** The middle of a picture as a square; small ones keep their pixels. */
export function squareOf(source: CanvasImageSource, width: number, height: number): HTMLCanvasElement {
  const side = Math.min(width, height);
  const [canvas, context] = surface(Math.min(KEPT, side));
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.width);
  context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, canvas.width, canvas.width);
  return canvas;
}

/** A picture of 28 x 28 shades of grey. */
export function greyOf(bytes: Uint8Array, i = 0): HTMLCanvasElement {
  const [canvas, context] = surface(28);
  const image = context.createImageData(28, 28);
  for (let pixel = 0; pixel < 784; pixel++) {
    image.data.fill(bytes[i * 784 + pixel] as number, 4 * pixel, 4 * pixel + 3);
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The bytes of a picture as a network takes them, [side, side, channels]. */
export function bytesOf(picture: HTMLCanvasElement, network: NetworkName, side: number): Uint8Array<ArrayBuffer> {
  const [, context] = surface(side);
  context.drawImage(picture, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const { channels } = networks[network];
  if (channels === 3)
    return Uint8Array.from({ length: 3 * side * side }, (_, i) => data[i + Math.floor(i / 3)] as number);
  const grey = Uint8Array.from({ length: side * side }, (_, i) =>
    Math.round(0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!),
  );
  return isLight(grey, side) ? grey.map((value) => 255 - value) : grey;
}

/** Whether the rim of a picture is light, as paper is. */
function isLight(grey: Uint8Array, side: number): boolean {
  const rim = grey.filter((_, i) => [0, side - 1].includes(i % side) || [0, side - 1].includes(Math.floor(i / side)));
  return rim.reduce((sum, value) => sum + value, 0) > 127 * rim.length;
}
