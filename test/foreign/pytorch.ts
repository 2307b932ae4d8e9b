// The reference figures of networks of PyTorch on their own data: as many samples as are asked for, by whatever predicts. Tests take some,
// the soak all.

import { loadDigits } from "../../demo/digits.ts";
import { actorCritic } from "../../demo/models/actor-critic.ts";
import { resnet20 } from "../../demo/models/resnet20.ts";
import { vitMnist } from "../../demo/models/vit-mnist.ts";
import type { Model } from "../../src/index.ts";
import type { LoadWeightsOptions } from "../../src/pytorch/index.ts";

/** The bytes of a file of the manifest. */
export type Get = (path: string) => Promise<Uint8Array>;

interface Labelled {
  readonly x: Float32Array<ArrayBuffer>;
  readonly labels: readonly number[];
}

export interface PyTorchNetwork {
  readonly file: string;
  readonly options?: LoadWeightsOptions;
  readonly model: Model;
  /** Shape of one sample. */
  readonly input: readonly number[];
}

export interface PyTorchFigure extends PyTorchNetwork {
  readonly classes: number;
  readonly samples: number;
  /** The part of all samples that is right. */
  readonly accuracy: number;
  read(get: Get, count: number): Promise<Labelled>;
}

const means = [0.485, 0.456, 0.406];
const deviations = [0.229, 0.224, 0.225];

/** Handwritten digits of some classes among the first `among` of the test set. */
const digits =
  (among: number, classes: number) =>
  async (_: Get, count: number): Promise<Labelled> => {
    const { x: images, y: labels } = await loadDigits("test", among);
    const chosen = [...labels.keys()].filter((i) => (labels[i] as number) < classes).slice(0, count);
    const x = new Float32Array(chosen.length * 784);
    for (const [row, i] of chosen.entries())
      for (let j = 0; j < 784; j++) x[row * 784 + j] = ((images[i * 784 + j] as number) / 255 - 0.1307) / 0.3081;
    return { x, labels: chosen.map((i) => labels[i] as number) };
  };

const vit = (file: string, classes: number, patch: number, layers: number, length: number): PyTorchNetwork => ({
  file: `vit-mnist/${file}`,
  model: vitMnist({ classes, patch, layers, heads: 4, length }),
  input: [28, 28, 1],
});

export const pytorchNetworks = {
  resnet20: {
    file: "resnet20-cifar10/resnet20-12fca82f.th",
    options: { part: "state_dict", rename: [["module", ""]] },
    model: resnet20(),
    input: [32, 32, 3],
  },
  vit: vit("vit_mnist_gpu.pt", 10, 4, 6, 64),
  vit3: vit("vit_mnist_3class.pt", 3, 7, 4, 16),
  agent: { file: "rl-agents/ppo-cartpole-policy.pth", model: actorCritic(), input: [4] },
} as const satisfies Readonly<Record<string, PyTorchNetwork>>;

export const pytorchFigures: Readonly<Record<string, PyTorchFigure>> = {
  resnet20: {
    ...pytorchNetworks.resnet20,
    ...{ classes: 10, samples: 500, accuracy: 0.798 },
    async read(get, count) {
      const [images, labels] = [await get("cifar10-jpeg/test-images.u8"), await get("cifar10-jpeg/test-labels.u8")];
      const x = Float32Array.from(
        images.subarray(0, count * 3072),
        (byte, i) => (byte / 255 - (means[i % 3] as number)) / (deviations[i % 3] as number),
      );
      return { x, labels: [...labels.subarray(0, count)] };
    },
  },
  "vit of ten digits": { ...pytorchNetworks.vit, classes: 10, samples: 2000, accuracy: 0.962, read: digits(2000, 10) },
  "vit of three digits": { ...pytorchNetworks.vit3, classes: 3, samples: 628, accuracy: 0.997, read: digits(2000, 3) },
};

/** How many of the first samples are right. */
export async function hitsOf(
  { classes, samples, read }: PyTorchFigure,
  predict: (x: Float32Array<ArrayBuffer>) => Promise<ArrayLike<number>>,
  get: Get,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly hits: number; readonly samples: number }> {
  const { x, labels } = await read(get, Math.min(most, samples));
  const y = await predict(x);
  const hits = labels.filter((label, row) => {
    const logits = Array.from({ length: classes }, (_, i) => y[row * classes + i] as number);
    return logits.indexOf(Math.max(...logits)) === label;
  });
  return { hits: hits.length, samples: labels.length };
}

/** The equations of CartPole (Barto, Sutton and Anderson 1983) as Gymnasium has them: the next state, or undefined where it fell. */
export function cartPole([x, v, angle, turn]: readonly number[], right: boolean): readonly number[] | undefined {
  const [gravity, cart, pole, half, push, tau] = [9.8, 1, 0.1, 0.5, right ? 10 : -10, 0.02];
  const [cos, sin] = [Math.cos(angle as number), Math.sin(angle as number)];
  const force = (push + pole * half * (turn as number) ** 2 * sin) / (cart + pole);
  const turning = (gravity * sin - cos * force) / (half * (4 / 3 - (pole * cos ** 2) / (cart + pole)));
  const going = force - (pole * half * turning * cos) / (cart + pole);
  const next = [x! + tau * v!, v! + tau * going, angle! + tau * turn!, turn! + tau * turning];
  return Math.abs(next[0]!) > 2.4 || Math.abs(next[2]!) > (12 * Math.PI) / 180 ? undefined : next;
}
