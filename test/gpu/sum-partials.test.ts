// Sums of partial results on the GPU, in all variants, against the twin.

import { sumPartialsCases } from "./case/elementwise.ts";
import { testKernel } from "./harness.ts";

testKernel("sum-partials", sumPartialsCases);
