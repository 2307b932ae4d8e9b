// The input gradient of a convolution on the GPU, in all variants, against the twin.

import { conv2dBackwardInputCases } from "./case/conv2d.ts";
import { testKernel } from "./harness.ts";

testKernel("conv2d-backward-input", conv2dBackwardInputCases, { tiles: true });
