// One device for all trainings of a page: what the first has compiled the next finds ready.

interface Opened {
  /** Kept as long as its device: Deno ends where somebody asks a device for its adapter's name and the adapter is gone. */
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
}

let shared: Promise<Opened | undefined> | undefined;

/** What `compile` would ask a device of its own for: room for large data, and for many tensors in a kernel. */
const wanted = ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"] as const;

async function open(): Promise<Opened | undefined> {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return undefined;
  const requiredLimits = Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits });
  device.lost.then(() => {
    shared = undefined;
  });
  return { adapter, device };
}

/** The page's device, another one after it was lost. Undefined where there is none: `compile` without a device says why. */
export async function sharedDevice(): Promise<GPUDevice | undefined> {
  shared ??= open();
  try {
    return (await shared)?.device;
  } catch (error) {
    shared = undefined; // the next try may do better
    throw error;
  }
}
