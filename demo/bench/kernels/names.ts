// The kernels that can be asked for; their cases import the engine's ops, which a command without a bundler cannot.

export const kernelNames = ["matmul", "conv", "attention", "norm", "softmax"] as const;
export type KernelName = (typeof kernelNames)[number];
