// The measurements in a process of Deno or Node, for the command that started it: what page.ts does in a page, without the peers.

import { answerCalls, tell } from "../../demo/channel.ts";
import { adapterHere, provideGpu } from "../../demo/gpu-here.ts";
import "./page.ts";
import "./roofline/page.ts";
import "./kernels/page.ts";

await provideGpu();
globalThis.progress = async (line) => tell("progress", line);
const { measure, measureRoof, measureKernels } = globalThis;
answerCalls({ adapterHere, measure, measureRoof, measureKernels });
