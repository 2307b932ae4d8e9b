// One measurement after the other: the adapter first, then networks, then kernels by themselves, each row beside the roofline as soon
// as it is there. Where they are measured, and by whom, is others' business.

import type { KernelName } from "./kernels/names.ts";
import { type KernelRow, kernelBeneath } from "./kernels/report.ts";
import { beneath, type Findings, type Row } from "./report.ts";
import { type RoofRow, roofOf } from "./roofline/roof.ts";
import type { WorkloadName } from "./workload.ts";

export interface Series {
  readonly workloads: readonly WorkloadName[];
  readonly kernels: readonly KernelName[];
}

export interface Measurers {
  /** Without rows nothing stands beside a roofline. */
  roofline(): Promise<RoofRow[]>;
  network(workload: WorkloadName): Promise<Row[]>;
  kernel(kernel: KernelName): Promise<KernelRow[]>;
}

/** `found` hears of all that there is until now, which is what is left where somebody interrupts. */
export async function measureSeries(
  { workloads, kernels }: Series,
  measurers: Measurers,
  found: (findings: Findings) => void,
): Promise<void> {
  const roofline = await measurers.roofline();
  const roof = roofline.length > 0 ? roofOf(roofline) : undefined;
  const rows: Row[] = [];
  const alone: KernelRow[] = [];
  const tell = (): void => found({ roofline, rows: [...rows], kernels: [...alone] });
  tell();
  for (const workload of workloads) {
    rows.push(...(await measurers.network(workload)).map((row) => beneath(row, roof)));
    tell();
  }
  for (const kernel of kernels) {
    alone.push(...(await measurers.kernel(kernel)).map((row) => kernelBeneath(row, roof)));
    tell();
  }
}
