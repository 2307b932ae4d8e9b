// The worker's side: its module says what is trained, and this answers for the trainer. What is a function stands in the
// module; the page's settings are plain data.

import { GradusError } from "../index.ts";
import { answer } from "./answer.ts";
import type { Hello, Meeting } from "./messages.ts";
import type { Given, ServedParts } from "./parts.ts";
import { lock, parent } from "./runtime.ts";

/**
 * Called once by the module that `compileInWorker` names: says what is trained, or makes it of the settings' `given`. Gives back what it
 * was given, so that a module may export it: `compile` on a page, or a test, then takes the same parts. Outside of a worker it
 * does nothing else. Throws GradusError where it is called twice in one worker.
 *
 * @example
 * export default serve(({ lr }) => ({ model: sequential([dense(10)]), loss: crossEntropy(), optimizer: adamw({ lr }) }));
 */
export function serve<Parts extends ServedParts | ((given: Given) => ServedParts | Promise<ServedParts>)>(
  parts: Parts,
): Parts {
  const page = parent();
  if (page === undefined) return parts;
  if (serving) throw new GradusError("serve: this worker has a model already. Give each model a worker of its own.");
  serving = true;
  page.listen((message) => {
    const meeting = message as Meeting;
    if (meeting?.gradus === "ping") page.post({ gradus: "hello" } satisfies Hello);
    if (meeting?.gradus !== "open") return;
    const { port } = meeting;
    answer(port, parts);
    lock(meeting.lock, () => {
      port.postMessage({ locked: true }, []);
      return new Promise(() => undefined);
    });
  });
  return parts;
}

let serving = false;
