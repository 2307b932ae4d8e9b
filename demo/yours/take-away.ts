// What a visitor takes home: the weights, files for other runtimes, and a program for PyTorch that goes on with a group of parameters for each
// rate. What writes them is loaded when it is asked for.

import type { Model, Trainer } from "../../src/index.ts";
import type { ToPyTorch } from "../../src/pytorch/index.ts";
import { make } from "../page/element.ts";

export interface Taken {
  readonly name: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
}

type Writer = (trainer: Trainer, model: Model, input: readonly number[]) => Promise<readonly Taken[]>;

/** By what the buttons say. */
export const writers: Readonly<Record<string, Writer>> = {
  safetensors: async (trainer) => [
    { name: "yours.safetensors", content: (await trainer.save({ only: "weights" })) as Uint8Array<ArrayBuffer> },
  ],
  ONNX: async (trainer, model) => {
    const { toOnnx } = await import("../../src/onnx-out/index.ts");
    return [{ name: "yours.onnx", content: await toOnnx(trainer, model) }];
  },
  "TensorFlow.js": async (trainer, model, input) => {
    const { toKeras } = await import("../../src/keras/index.ts");
    const { json, weights } = toKeras(model, await trainer.weights(), { input });
    return [
      { name: "model.json", content: JSON.stringify(json) },
      { name: "weights.bin", content: weights },
    ];
  },
  PyTorch: async (trainer, model) => {
    const { weights, optimizer, script } = await inPyTorch(trainer, model);
    return [
      { name: "model.py", content: script },
      { name: "model.safetensors", content: weights },
      { name: "optimizer.safetensors", content: optimizer },
    ];
  },
};

/** What PyTorch needs to go on. Throws where the network has no form in it, with what to take instead. */
export async function inPyTorch(trainer: Trainer, model: Model): Promise<ToPyTorch> {
  const { toPyTorch } = await import("../../src/pytorch/index.ts");
  try {
    return await toPyTorch(trainer, model);
  } catch (cause) {
    throw new Error(`This network has no form in PyTorch. Take ONNX instead. ${(cause as Error).message}`, { cause });
  }
}

/** Hands files to the browser, one after the other: it drops those that come at once. */
export async function handOut(files: readonly Taken[]): Promise<void> {
  for (const { name, content } of files) {
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([content]));
    link.download = name;
    link.click();
    await new Promise((done) => setTimeout(done, 200));
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the browser may not have begun to read
  }
}
