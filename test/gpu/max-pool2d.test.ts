// Max pooling on the GPU, in all variants, against the twin.

import { maxPool2dCases } from "./case/max-pool2d.ts";
import { testKernel } from "./harness.ts";

testKernel("max-pool2d", maxPool2dCases);
