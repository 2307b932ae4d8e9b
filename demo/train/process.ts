// The training in a process of Deno or Node: what page.ts does in a page, for the command that started it.

import { answerCalls, tell } from "../channel.ts";
import { readDigitsWith } from "../digits.ts";
import { adapterHere, provideGpu } from "../gpu-here.ts";
import { readMnist } from "../mnist-files.ts";
import "./page.ts";

await provideGpu();
readDigitsWith(readMnist);
globalThis.showProgress = async (tick) => tell("showProgress", tick);
const { trainNetwork, stopTraining, testNetwork } = globalThis;
answerCalls({ adapterHere, trainNetwork, stopTraining, testNetwork });
