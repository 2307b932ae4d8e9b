// One device for each test file, opened when it is first asked for. Whatever it complains of, in error scopes or on its
// own, fails the test that caused it.

import { afterAll } from "vitest";
import { connect, type Gpu } from "../../src/gpu/device.ts";
import { createReplay, type Replay } from "../../src/step/replay.ts";

const scopes = ["validation", "out-of-memory", "internal"] as const;

let opened: Promise<{ gpu: Gpu; replays: Map<string, Replay> }> | undefined;
const complaints: string[] = [];

async function open() {
  const gpu = await connect();
  gpu.device.addEventListener("uncapturederror", ({ error }) => complaints.push(error.message));
  return { gpu, replays: new Map<string, Replay>() };
}

afterAll(async () => {
  const last = opened;
  opened = undefined; // the next file may be in the same page
  (await last)?.gpu.dispose();
});

/** Runs `work` on the device under guard. `rows` is the length of the layer table, `layers` of it may raise alarms. */
export async function onDevice<T>(
  rows: number,
  work: (gpu: Gpu, replay: Replay) => Promise<T>,
  layers = 0,
): Promise<T> {
  opened ??= open();
  const { gpu, replays } = await opened;
  const key = `${rows} rows, ${layers} layers`;
  const replay = replays.get(key) ?? createReplay(gpu, { rows, layers });
  replays.set(key, replay);
  for (const scope of scopes) gpu.device.pushErrorScope(scope);
  const [outcome] = await Promise.allSettled([work(gpu, replay)]);
  const errors = await Promise.all(scopes.map(() => gpu.device.popErrorScope()));
  complaints.push(...errors.flatMap((error) => error?.message ?? []));
  if (complaints.length > 0) throw new Error(`The device complained: ${complaints.splice(0).join("\n")}`);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
