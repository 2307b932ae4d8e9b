// A device under guard: whatever it complains of, in error scopes or on its own, fails the test that caused it.

/** Runs a story on a device of its own, inside validation, out-of-memory and internal error scopes. */
export async function guarded(story: (device: GPUDevice) => Promise<void>): Promise<void> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null)
    throw new Error("There is no WebGPU adapter: these tests need one, a software adapter will do.");
  const device = await adapter.requestDevice();
  const complaints: string[] = [];
  device.addEventListener("uncapturederror", ({ error }) => complaints.push(error.message));
  const scopes = ["validation", "out-of-memory", "internal"] as const;
  for (const scope of scopes) device.pushErrorScope(scope);
  try {
    await story(device);
  } finally {
    for (const _ of scopes) {
      const error = await device.popErrorScope();
      if (error !== null) complaints.push(error.message);
    }
    device.destroy();
  }
  if (complaints.length > 0) throw new Error(`The device complained: ${complaints.join("\n")}`);
}
