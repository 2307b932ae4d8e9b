// Elementwise ops on the GPU, in all variants, against the twin.

import { elementwiseCases } from "./case/elementwise.ts";
import { testKernel } from "./harness.ts";

testKernel("elementwise", elementwiseCases);
