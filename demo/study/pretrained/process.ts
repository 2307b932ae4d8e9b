// The study's trainings in a process of Deno or Node: what page.ts does in a page, for the command that started it.

import { answerCalls } from "../../channel.ts";
import { readDigitsWith } from "../../digits.ts";
import { adapterHere, provideGpu } from "../../gpu-here.ts";
import { readMnist } from "../../mnist-files.ts";
import "./page.ts";

await provideGpu();
readDigitsWith(readMnist);
const { openPretrained, tunePretrained } = globalThis;
answerCalls({ adapterHere, openPretrained, tunePretrained });
