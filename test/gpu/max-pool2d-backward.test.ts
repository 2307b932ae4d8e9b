// The gradient of max pooling on the GPU, in all variants, against the twin.

import { maxPool2dBackwardCases } from "./case/max-pool2d.ts";
import { testKernel } from "./harness.ts";

testKernel("max-pool2d-backward", maxPool2dBackwardCases);
