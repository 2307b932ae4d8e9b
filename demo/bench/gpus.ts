// An analytic model of a step on GPUs that nobody measured here: what their makers publish, and what a dispatch of WebGPU was found to
// cost elsewhere, in the place of what is measured of an adapter. No kernel reaches all of it: times are those of the best case.

import { type Roof, roofline } from "./roofline/roof.ts";
import type { Work } from "./roofline/work.ts";

export interface PublishedGpu {
  readonly name: string;
  /** Of f32, two operations for each multiply-add. */
  readonly gigaflops: number;
  readonly gigabytesPerSecond: number;
  readonly api: keyof typeof dispatchCosts;
  readonly source: string;
}

/** Microseconds: the least of arXiv 2604.02344, which found 24 to 36 on Vulkan and 32 to 71 on Metal. */
export const dispatchCosts = { Vulkan: 24, Metal: 32 } as const;

export const publishedGpus: readonly PublishedGpu[] = [
  {
    name: "GeForce RTX 4090",
    gigaflops: 82_600,
    gigabytesPerSecond: 1008,
    api: "Vulkan",
    source: "NVIDIA Ada GPU Architecture, appendix A: 16,384 cores at 2,520 MHz; 384 bits at 21 Gbit/s",
  },
  {
    name: "Radeon RX 7900 XTX",
    gigaflops: 61_400,
    gigabytesPerSecond: 960,
    api: "Vulkan",
    source: "AMD's product page: peak single precision, memory bandwidth",
  },
  {
    name: "Arc A770",
    gigaflops: 17_200,
    gigabytesPerSecond: 560,
    api: "Vulkan",
    source: "Intel's product page: 32 cores of 128 lanes at 2,100 MHz, memory bandwidth",
  },
  {
    name: "Apple M2",
    gigaflops: 3_600,
    gigabytesPerSecond: 100,
    api: "Metal",
    source: "Apple's presentation of M2 with ten GPU cores, June 2022",
  },
];

/** A submit costs nothing here: many steps share one. */
export const roofOfGpu = ({ gigaflops, gigabytesPerSecond, api }: PublishedGpu): Roof => ({
  gigaflops,
  gigabytesPerSecond,
  microsecondsPerDispatch: dispatchCosts[api],
  microsecondsPerSubmit: 0,
});

export interface Prediction {
  /** Milliseconds of a step. */
  readonly ms: number;
  /** Milliseconds of it that are arithmetic or memory, and not the cost of dispatches. */
  readonly msOfWork: number;
}

export function predict(works: readonly Work[], gpu: PublishedGpu): Prediction {
  const roof = roofOfGpu(gpu);
  return { ms: roofline(works, roof), msOfWork: roofline(works, { ...roof, microsecondsPerDispatch: 0 }) };
}
