// A device under guard: whatever it complains of, in error scopes or on its own, fails the test that caused it.

let shared: Promise<GPUDevice> | undefined;
const complaints: string[] = [];
const scopes = ["validation", "out-of-memory", "internal"] as const;

async function open(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null)
    throw new Error("There is no WebGPU adapter: these tests need one, a software adapter will do.");
  const device = await adapter.requestDevice();
  device.addEventListener("uncapturederror", ({ error }) => complaints.push(error.message));
  return device;
}

/**
 * Runs a story inside validation, out-of-memory and internal error scopes, on the device of its file: what one story has compiled
 * the next finds ready. A story that loses it leaves a new one to the next.
 */
export async function guarded(story: (device: GPUDevice) => Promise<void>): Promise<void> {
  shared ??= open();
  const device = await shared;
  device.lost.then(() => {
    shared = undefined;
  });
  await watched(device, story);
}

/** Runs a story on a device of its own, so that it may count what is made on it. */
export async function alone(story: (device: GPUDevice) => Promise<void>): Promise<void> {
  const device = await open();
  await watched(device, story).finally(() => device.destroy());
}

async function watched(device: GPUDevice, story: (device: GPUDevice) => Promise<void>): Promise<void> {
  for (const scope of scopes) device.pushErrorScope(scope);
  const [outcome] = await Promise.allSettled([story(device)]);
  Reflect.deleteProperty(device.queue, "submit"); // a story may have counted there, the next has the same device
  for (const _ of scopes) {
    const error = await device.popErrorScope();
    if (error !== null) complaints.push(error.message);
  }
  if (complaints.length > 0) throw new Error(`The device complained: ${complaints.splice(0).join("\n")}`);
  if (outcome.status === "rejected") throw outcome.reason;
}
