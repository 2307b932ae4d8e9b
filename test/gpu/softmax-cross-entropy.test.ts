// Softmax and cross-entropy on the GPU, in all variants, against the twin.

import { softmaxCrossEntropyCases } from "./case/loss.ts";
import { testKernel } from "./harness.ts";

testKernel("softmax-cross-entropy", softmaxCrossEntropyCases);
