// The squared error on the GPU, in all variants, against the twin.

import { meanSquaredErrorCases } from "./case/loss.ts";
import { testKernel } from "./harness.ts";

testKernel("mean-squared-error", meanSquaredErrorCases);
