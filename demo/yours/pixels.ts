// From what somebody gives to a picture that a network may see: its middle as a square, in colours, or with the strokes light on dark, as drawings
// were when the network learnt. How large it is and how many channels it has is the affair of whoever puts it on the GPU.

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

/** Pictures turned light on dark, made once. */
const turned = new WeakMap<HTMLCanvasElement, HTMLCanvasElement>();

/** A picture as a network is to see it: as it is, or light on dark where it sees shades of grey. */
export function asSeen(picture: HTMLCanvasElement, network: NetworkName): HTMLCanvasElement {
  if (networks[network].channels === 3) return picture;
  const known = turned.get(picture);
  if (known !== undefined) return known;
  if (!isLight(picture)) return picture;
  const [canvas, context] = surface(picture.width);
  context.drawImage(picture, 0, 0);
  context.globalCompositeOperation = "difference"; // from white
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.width);
  turned.set(picture, canvas);
  return canvas;
}

/** Whether the rim of a picture is light, as paper is. */
function isLight(picture: HTMLCanvasElement): boolean {
  const side = 28;
  const [, context] = surface(side);
  context.drawImage(picture, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const isRim = (i: number): boolean => [0, side - 1].some((end) => i % side === end || Math.floor(i / side) === end);
  const rim = Array.from({ length: side * side }, (_, i) => i).filter(isRim);
  const [red, green, blue] = [0, 1, 2].map((c) => rim.reduce((sum, i) => sum + data[4 * i + c]!, 0) / rim.length);
  return 0.299 * red! + 0.587 * green! + 0.114 * blue! > 127;
}
