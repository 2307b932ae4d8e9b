// Column sums on the GPU, in all variants, against the twin.

import { columnSumCases } from "./case/elementwise.ts";
import { testKernel } from "./harness.ts";

testKernel("column-sum", columnSumCases);
