// What the benchmark of streams reports: steps on images that come from a file beside steps on images that lie on the GPU, in turn.

import { aligned, digits } from "../../../demo/bench/columns.ts";
import { median } from "../../../demo/bench/report.ts";

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
  /** Milliseconds of a step, in each round. */
  readonly streamed: readonly number[];
  readonly present: readonly number[];
}

/** How much longer a step takes with images from a file: the median over rounds, in each of which both took their turns. */
export const ratioOf = ({ streamed, present }: StreamReport): number =>
  median(streamed.map((time, i) => time / (present[i] as number)));

export function streamTable(report: StreamReport): string {
  const { images, resident, operations, bytes, mostHeld, streamed, present } = report;
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
  return `${table}\n${(operations / 1e6).toFixed(1)} MFLOP an image forward; of ${(bytes / 1e6).toFixed(0)} MB at most ${(mostHeld / 1e6).toFixed(1)} MB of rows were held; ratio ${ratioOf(report).toFixed(3)}`;
}
