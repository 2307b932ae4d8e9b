// The bundle of tests in a process of Deno or Node: it answers the command that started it.

import { answerCalls, tell } from "../../demo/channel.ts";
import { dataFile } from "../../demo/data.ts";
import { readDigitsWith } from "../../demo/digits.ts";
import { adapterHere, provideGpu } from "../../demo/gpu-here.ts";
import { readMnist } from "../../demo/mnist-files.ts";
import { readTextWith } from "../../demo/text.ts";
import { readText } from "../../demo/text-files.ts";
import { readForeignWith } from "../stories/foreign.ts";
import { provideEvents } from "./events.ts";
import { answersOf } from "./suite.ts";

await provideGpu();
provideEvents();
readDigitsWith(readMnist);
readTextWith(readText);
readForeignWith(dataFile);
answerCalls({
  adapterHere,
  ...answersOf({
    began: (file, test) => tell("began", file, test),
    ended: (result) => tell("ended", result),
  }),
});
