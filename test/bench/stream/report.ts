// What the benchmark of streams reports: steps on images that come from a file beside steps on images that lie on the GPU, in turn.

import { aligned, digits } from "../../../demo/bench/columns.ts";
import { median } from "../../../demo/bench/report.ts";
import type { HostMemory } from "./memory.ts";

/** What is streamed: so many images of 64 x 64 x 3 bytes with their labels, beside some that are resident. */
export const sizes = {
  full: { images: 100_000, resident: 5000, rounds: 5 },
  quick: { images: 4000, resident: 1000, rounds: 3 },
} as const;

export interface StreamReport {
  readonly images: number;
  readonly resident: number;
  /** Operations of the network for an image, forward. */
  readonly operations: number;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Bytes of rows that were held at most. */
  readonly mostHeld: number;
  /** Memory of the browser without its GPU process: in a page that has made nothing, and the most in an epoch. Null where nobody tells. */
  readonly memory: { readonly before: HostMemory; readonly most: HostMemory } | null;
  /** Milliseconds of a step, in each round. */
  readonly streamed: readonly number[];
  readonly present: readonly number[];
}

/** How much longer a step takes with images from a file: the median over rounds, in each of which both took their turns. */
export const ratioOf = ({ streamed, present }: StreamReport): number =>
  median(streamed.map((time, i) => time / (present[i] as number)));

export function streamTable(report: StreamReport): string {
  const { images, resident, operations, bytes, memory, mostHeld, streamed, present } = report;
  const rows = [
    { what: `${images} images from a file`, times: streamed },
    { what: `${resident} images on the GPU`, times: present },
  ];
  const table = aligned(rows, [
    { title: "images", cell: ({ what }) => what, words: true },
    { title: "ms a step", cell: ({ times }) => digits(median(times)) },
    { title: "least", cell: ({ times }) => digits(Math.min(...times)) },
    { title: "most", cell: ({ times }) => digits(Math.max(...times)) },
  ]);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
  const host = memory
    ? `one epoch of all of them: the page's process had at most ${megabytes(memory.most.page)}, ${megabytes(memory.before.page)} before; ` +
      `all of the browser but the GPU's process ${megabytes(memory.most.all)}, ${megabytes(memory.before.all)} before`
    : "the memory of processes is not told here";
  return [
    table,
    `${(operations / 1e6).toFixed(1)} MFLOP an image forward; of ${megabytes(bytes)} at most ${megabytes(mostHeld)} of rows were held; ratio ${ratioOf(report).toFixed(3)}`,
    host,
  ].join("\n");
}
