// One device for all trainings of a page: what the first has compiled the next finds ready.

/** Kept as long as its device: Deno ends where somebody asks a device for its adapter's name and the adapter is gone. */
let adapter: GPUAdapter | null | undefined;
let shared: Promise<GPUDevice | undefined> | undefined;

async function open(): Promise<GPUDevice | undefined> {
  adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const device = await adapter?.requestDevice();
  device?.lost.then(() => {
    shared = undefined;
  });
  return device;
}

/** The page's device, another one after it was lost. Undefined where there is none: `compile` without a device says why. */
export const sharedDevice = (): Promise<GPUDevice | undefined> => {
  shared ??= open();
  return shared;
};
