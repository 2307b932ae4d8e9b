// A run on examples that may change while it rests, with the plan that it follows and the time that it took.

import type { Trainer } from "../../src/index.ts";
import { FitRun, type Given, type Listener } from "../page/fit-run.ts";
import type { PlannedRun } from "../page/lesson.ts";
import { OnGpu } from "./on-gpu.ts";
import type { Plan } from "./plan.ts";

/** Steps from one rest to look to the next. */
const EVERY = 10;

export class YourRun extends FitRun implements PlannedRun {
  readonly plan: Plan;
  readonly pictures: OnGpu;
  /** Of training, first compiling included. */
  seconds = 0;

  /** `samples` gives the same data as long as the examples are the same. */
  constructor(
    trainer: Trainer,
    plan: Plan,
    steps: number,
    samples: (pictures: OnGpu) => Promise<Given>,
    listener: Listener,
  ) {
    const pictures = new OnGpu(trainer, plan.network);
    super(trainer, () => samples(pictures), { steps, every: EVERY }, listener);
    this.plan = plan;
    this.pictures = pictures;
  }

  override async go(): Promise<void> {
    const since = performance.now();
    await super.go();
    this.seconds += (performance.now() - since) / 1000;
  }
}
