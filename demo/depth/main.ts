// The page of a deep network: how much of the gradient reaches each of its layers, for one activation beside those that were tried before.

import {
  batchNorm,
  compile,
  crossEntropy,
  dense,
  elu,
  flatten,
  gelu,
  type Layer,
  relu,
  selu,
  sequential,
  sgd,
  sigmoid,
  tanh,
} from "../../src/index.ts";
import { createChart } from "../page/chart.ts";
import { find, write } from "../page/element.ts";
import { FitRun } from "../page/fit-run.ts";
import { groupedStats } from "../page/layer-groups.ts";
import type { Stats } from "../page/layers.ts";
import { teach } from "../page/lesson.ts";
import { firstDigits } from "../page/mnist.ts";
import { whole } from "../page/number.ts";

interface Settings {
  readonly activation: keyof typeof activations;
  readonly norm: "none" | "batch";
  readonly layers: number;
  readonly width: number;
  readonly images: number;
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly every: number;
  readonly seed: number;
}

/** Each with the colour of its line. */
const activations = {
  sigmoid: [sigmoid, "--accent"],
  tanh: [tanh, "--second"],
  relu: [relu, "--layer-1"],
  elu: [elu, "--layer-2"],
  selu: [selu, "--muted"],
  gelu: [gelu, "--text"],
} as const;
const names = Object.keys(activations) as Settings["activation"][];

const network = ({ activation, norm, layers, width }: Settings): Layer =>
  sequential(
    Object.fromEntries(
      Array.from({ length: layers }, (_, i) => [
        `layer${i + 1}`,
        sequential([
          ...(i === 0 ? [flatten()] : []),
          ...(i === layers - 1
            ? [dense(10)]
            : [dense(width), ...(norm === "batch" ? [batchNorm()] : []), activations[activation][0]()]),
        ]),
      ]),
    ),
  );

/** Lengths of gradients by layer, in powers of ten. */
const found = new Map<string, readonly (number | null)[]>();
const note = find("#gradients-note", HTMLParagraphElement);
const power = (value: number): string => `1e${value.toFixed(1)}`;
const chart = createChart(find("#gradients", HTMLElement), {
  lines: names.map((label) => ({ label, color: activations[label][1], width: 2 })),
  range: (least, most) => [Math.floor(Math.min(least, -1)), Math.ceil(Math.max(most, 0))],
  format: power,
  tick: (value) => `1e${Number(value.toFixed(1))}`,
});

function show(layers: number): void {
  const columns = names.map((name) => Array.from({ length: layers }, (_, i) => found.get(name)?.[i] ?? null));
  chart.show({ steps: Array.from({ length: layers }, (_, i) => i + 1), columns }, layers);
}

let settings: Settings | undefined;
let share = "";

teach<FitRun, Settings>({
  samples: "Images",
  grouped: true,
  software: { images: 6000, steps: 600 },

  async open(chosen, told) {
    // Lines of other networks would not lie beside these.
    const { activation: _, ...rest } = chosen;
    const { activation: __, ...before } = settings ?? chosen;
    if (JSON.stringify(rest) !== JSON.stringify(before)) found.clear();
    settings = chosen;
    const { images, batch, lr, seed, layers, activation, ...plan } = chosen;
    const data = await firstDigits("train", images);
    const trainer = await compile(network(chosen), {
      input: [28, 28, 1],
      batch,
      loss: crossEntropy(),
      optimizer: sgd({ lr, momentum: 0.9 }),
      seed,
    });
    const onStats = (stats: Stats): void => {
      told.onStats(stats);
      const gradients = groupedStats(stats).layers.map(({ gradient }) => gradient);
      found.set(
        activation,
        gradients.map((length) => (length > 0 ? Math.log10(length) : null)),
      );
      share = ((gradients[0] as number) / (gradients.at(-1) as number)).toPrecision(2);
    };
    return new FitRun(trainer, () => data, plan, { ...told, onStats });
  },

  opened() {
    show((settings as Settings).layers);
    write(note, "Length of the gradient of each layer, from the first to the last. Try one activation after another.");
  },

  async look({ trainer }) {
    const { layers, activation } = settings as Settings;
    show(layers);
    if (share !== "")
      write(
        note,
        `With ${activation} the first layer gets ${share} of what the last one gets, after step ${whole(trainer.steps)}.`,
      );
  },
});
