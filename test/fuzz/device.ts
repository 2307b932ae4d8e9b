// A device whose complaints are kept: a call that makes it complain is a failure, even where the numbers come out right.

export async function deviceOf() {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("There is no WebGPU adapter: a software adapter will do.");
  const device = await adapter.requestDevice();
  const complaints: string[] = [];
  device.addEventListener("uncapturederror", ({ error }) => complaints.push(error.message));
  return { device, complaints };
}
