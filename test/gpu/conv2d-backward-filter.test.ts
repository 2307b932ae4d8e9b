// The filter gradient of a convolution on the GPU, in all variants, against the twin.

import { conv2dBackwardFilterCases } from "./case/conv2d.ts";
import { testKernel } from "./harness.ts";

testKernel("conv2d-backward-filter", conv2dBackwardFilterCases, { tiles: true });
