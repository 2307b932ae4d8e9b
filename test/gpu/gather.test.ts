// Gathering a batch on the GPU, in all variants, against the twin.

import { gatherCases } from "./case/loss.ts";
import { testKernel } from "./harness.ts";

testKernel("gather", gatherCases);
