// Convolution on the GPU, in all variants, against the twin.

import { conv2dCases } from "./case/conv2d.ts";
import { testKernel } from "./harness.ts";

testKernel("conv2d", conv2dCases, { tiles: true });
