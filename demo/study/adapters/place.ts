// Who trains for the study of adapters: what its page or process answers, as functions.

import type { Adapter } from "../../adapter.ts";
import type { Runtime } from "../../train/place.ts";
import { withCalls } from "../place.ts";
import type { Files } from "./networks.ts";
import type { Request, Task, TaskName, Tuned } from "./plan.ts";

/** Who trains. */
export interface Bench {
  open(name: TaskName, files: Files): Promise<void>;
  untuned(task: Task): Promise<number>;
  tune(request: Request): Promise<Tuned>;
}

/** Hands a bench to `run` and closes it whatever happens. */
export const withBench = (runtime: Runtime, run: (bench: Bench, adapter: Adapter) => Promise<void>): Promise<void> =>
  withCalls(runtime, { folder: "study/adapters", ready: "tuneNetwork" }, (call, adapter) =>
    run(
      {
        open: (name, files) => call("openNetwork", name, files),
        untuned: (task) => call("untunedNetwork", task),
        tune: (request) => call("tuneNetwork", request),
      },
      adapter,
    ),
  );
