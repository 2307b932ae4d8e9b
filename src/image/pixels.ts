// What counts as a picture, by what its kind is called, since not every runtime has all of these classes: how large each is, and whether there is
// something to see. What comes as bytes is told by its members, for it may be of any class.

import { say } from "../foreign/options.ts";
import { DataError, ShapeError } from "../index.ts";

/** A picture as bytes, as an ImageData is: red, green, blue and alpha of each pixel, not premultiplied, row after row. */
export interface PixelData {
  /** Four bytes a pixel. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
}

/** A picture: bytes, or what a browser has of it. */
export type Pixels =
  | PixelData
  | ImageBitmap
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLImageElement
  | HTMLVideoElement
  | VideoFrame;

/** A picture that may be read, and its size. */
export interface Picture {
  readonly pixels: Pixels;
  readonly width: number;
  readonly height: number;
  /** As messages call it. */
  readonly name: string;
}

type Size = readonly [width: number, height: number];

/** Width and height of each kind, and what to do where it has none. */
const kinds: Readonly<Record<string, readonly [size: (pixels: never) => Size, advice: string]>> = {
  ImageBitmap: [({ width, height }: ImageBitmap) => [width, height], "It was closed: close it afterwards"],
  HTMLCanvasElement: [({ width, height }: HTMLCanvasElement) => [width, height], "Give it a width and a height"],
  OffscreenCanvas: [({ width, height }: OffscreenCanvas) => [width, height], "Give it a width and a height"],
  HTMLImageElement: [
    ({ complete, naturalWidth, naturalHeight }: HTMLImageElement) =>
      complete ? [naturalWidth, naturalHeight] : [0, 0],
    "Wait until it has loaded: await image.decode()",
  ],
  HTMLVideoElement: [
    // Its size is known before its first picture is.
    ({ readyState, videoWidth, videoHeight }: HTMLVideoElement) =>
      readyState < 2 ? [0, 0] : [videoWidth, videoHeight],
    "Wait for its first picture: its event loadeddata",
  ],
  VideoFrame: [
    ({ displayWidth, displayHeight }: VideoFrame) => [displayWidth, displayHeight],
    "It was closed: close it afterwards",
  ],
};

const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

const articled = (kind: string): string => `${/^([AEIO]|H[A-Z])/.test(kind) ? "an" : "a"} ${kind}`;

const hasBytes = (value: unknown): value is PixelData =>
  typeof value === "object" && value !== null && "data" in value && "width" in value && "height" in value;

/** Whether something is a picture, of whatever size. */
export const isPixels = (value: unknown): value is Pixels => Object.hasOwn(kinds, kindOf(value)) || hasBytes(value);

/** A picture as bytes; undefined where the browser has it. */
export const bytesOf = (pixels: Pixels): PixelData | undefined => (hasBytes(pixels) ? pixels : undefined);

/** A picture with its size. Throws DataError where it is none, or has nothing to see yet, ShapeError where bytes are not as many as pixels. */
export function pictureOf(name: string, pixels: unknown): Picture {
  if (!isPixels(pixels))
    throw new DataError(
      `${name} is ${Array.isArray(pixels) ? "a list" : say(pixels)}. Give an ${Object.keys(kinds).join(", ")}, or { data, width, height } such as ImageData.`,
    );
  if (hasBytes(pixels)) return { name, pixels, ...checkedBytes(name, pixels) };
  const kind = kindOf(pixels);
  const [sizeOf, advice] = kinds[kind] as (typeof kinds)[string];
  const [width, height] = sizeOf(pixels as never);
  if (width > 0 && height > 0) return { name, pixels, width, height };
  throw new DataError(`${name}, ${articled(kind)}, is empty: it has ${width} x ${height} pixels. ${advice}.`);
}

function checkedBytes(name: string, { data, width, height }: PixelData): Pick<Picture, "width" | "height"> {
  if (!/^Uint8(Clamped)?Array$/.test(kindOf(data)))
    throw new DataError(`${name}.data is ${articled(kindOf(data))}. Give bytes: a Uint8Array or a Uint8ClampedArray.`);
  for (const [side, pixels] of Object.entries({ width, height }))
    if (!(Number.isSafeInteger(pixels) && pixels > 0))
      throw new DataError(`${name}.${side} is ${say(pixels)}. It must be a whole number of pixels, at least 1.`);
  if (data.length !== 4 * width * height)
    throw new ShapeError(
      `${name}.data has ${data.length} bytes, ${width} x ${height} pixels have ${4 * width * height}. Give red, green, blue and alpha of each.`,
    );
  return { width, height };
}
