// The network that learns the digits, and how it learns them: one choice for the page and for `npm run train`.

import {
  adamw,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type Layer,
  layerDecay,
  maxPool2d,
  oneCycle,
  relu,
  type Schedule,
  sequential,
  type Trainer,
} from "../src/index.ts";

/** From [28, 28, 1] to ten logits. */
export function digitNetwork(): Layer {
  return sequential({
    stem: [conv2d(8, { kernel: 3, padding: "same" }), relu(), maxPool2d(2)],
    body: [conv2d(16, { kernel: 3, padding: "same" }), relu(), maxPool2d(2), flatten()],
    head: dense(10),
  });
}

export interface DigitOptions extends Pick<CompileOptions, "device" | "control"> {
  /** From [28, 28, 1] to ten logits. Default digitNetwork(). */
  readonly model?: Layer;
  /** Images in a step. Default 32. */
  readonly batch?: number;
  /** Learning rate of the last layer at the top of the schedule. Default 0.01. */
  readonly lr?: number;
  /** Factor on the rate from each layer to the one before it. Default 1: all learn at the same rate. */
  readonly layerDecay?: number;
  readonly seed?: number;
  /** Default oneCycle over `epochs`. */
  readonly schedule?: Schedule;
  /** Length of the default schedule. Default 3. */
  readonly epochs?: number;
}

/** The network on a device, with its first weights. */
export function compileDigits(options: DigitOptions = {}): Promise<Trainer> {
  const { batch = 32, lr = 0.01, layerDecay: decay = 1, seed = 0, epochs = 3, control = [], device } = options;
  return compile(options.model ?? digitNetwork(), {
    ...(device && { device }),
    input: [28, 28, 1],
    batch,
    loss: crossEntropy(),
    optimizer: adamw({ lr, weightDecay: 0.01 }),
    rates: layerDecay(decay),
    schedule: options.schedule ?? oneCycle({ epochs }),
    control,
    seed,
  });
}
