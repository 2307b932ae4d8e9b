// A program that has a device and compiles with the types of WebGPU.

import { compile, dense, meanSquaredError, sequential, type Trainer } from "gradus";

export async function onOwnDevice(): Promise<Trainer> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "low-power" });
  const device: GPUDevice | undefined = await adapter?.requestDevice();
  return compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError(), device });
}
