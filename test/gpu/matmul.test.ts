// The matrix product on the GPU, in all its variants, against its twin.

import { matmulCases } from "./case/matmul.ts";
import { testKernel } from "./harness.ts";

testKernel("matmul", matmulCases, { tiles: true });
