// What a process of Deno or Node does for the study: one network made somebody's own in one way, judged every few steps.

import { answerCalls } from "../../channel.ts";
import { adapterHere, provideGpu } from "../../gpu-here.ts";
import { sharedDevice } from "../../page/shared-device.ts";
import { readNetwork } from "../../yours/networks.ts";
import { compileWay } from "../../yours/ways.ts";
import type { Files, Point, Trial } from "./plan.ts";

await provideGpu();
const opened = new Map<string, ReturnType<typeof readNetwork>>();

/** The way of a network over its steps. Seconds are those of training: judging is not counted. */
async function learn({ steps, every, learnt, others, ...plan }: Trial, files: Files): Promise<Point[]> {
  const { network } = plan;
  if (!opened.has(network))
    opened.set(
      network,
      readNetwork(network, async (path) => files[path] as never),
    );
  const device = await sharedDevice();
  const trainer = await compileWay(await opened.get(network)!, plan, device && { device });
  const points: Point[] = [];
  let seconds = 0;
  try {
    for (let step = 0; step < steps; step += every) {
      const since = performance.now();
      await trainer.fit(learnt, { steps: Math.min(every, steps - step), resume: true, epochs: steps });
      seconds += (performance.now() - since) / 1000;
      const { accuracy } = await trainer.evaluate(others);
      points.push({ step: trainer.steps, seconds, accuracy });
    }
  } finally {
    trainer.dispose();
  }
  return points;
}

answerCalls({ adapterHere, learn });
