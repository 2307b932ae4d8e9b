// The training in a process of Deno or Node: what page.ts does in a page, for the command that started it.

import { answerCalls, tell } from "../channel.ts";
import { readDigitsWith } from "../digits.ts";
import { adapterHere, provideGpu } from "../gpu-here.ts";
import { readMnist } from "../mnist-files.ts";
import { readTextWith } from "../text.ts";
import { readText } from "../text-files.ts";
import "./page.ts";

await provideGpu();
readDigitsWith(readMnist);
readTextWith(readText);
globalThis.showProgress = async (tick) => tell("showProgress", tick);
globalThis.showLook = async (shown) => tell("showLook", shown);
const { openTask, trainTask, stopTraining, testTask } = globalThis;
answerCalls({ adapterHere, openTask, trainTask, stopTraining, testTask });
