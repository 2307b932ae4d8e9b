// Random numbers on the GPU against those of the host.

import { drawCases } from "./case/draw.ts";
import { testKernel } from "./harness.ts";

testKernel("draw", drawCases);
