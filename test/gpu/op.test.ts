// Every op on the GPU, in all variants, against its twin, on the cases of test/gpu/case. One op alone: -t averagePool2d.

import type { CaseFile } from "./cases.ts";
import { testCases } from "./harness.ts";

/** The metrics, and what stands behind them, are read in another way, by metrics.test.ts. */
const files = import.meta.glob<CaseFile>(["./case/*.ts", "!./case/metrics.ts", "!./case/keep.ts"], { eager: true });

for (const { cases } of Object.values(files)) testCases(cases);
