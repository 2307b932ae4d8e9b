// The door of gradus/image: samples of the pictures that a page has, made on the GPU.

export { type FromPixelsOptions, fromPixels, type PixelSamples } from "./from-pixels.ts";
export type { PixelData, Pixels } from "./pixels.ts";
