// What the study of pre-trained networks compares: networks that others trained, each on a task that is new to it, ways to give their layers
// rates, and the budget that all ways get. Plain data, for the command and for where it trains.

export const taskNames = ["doodles", "digits", "darwin", "shakespeare", "classes", "jpeg"] as const;
export type TaskName = (typeof taskNames)[number];

const named = (folder: string, names: string): readonly string[] => names.split(" ").map((name) => `${folder}/${name}`);
const cell = (i: number): string =>
  ["biases", "weights"].map((kind) => `rnnlm_multi_rnn_cell_cell_${i}_basic_lstm_cell_${kind}`).join(" ");
const reader = (name: string, alphabet: string): readonly string[] =>
  named(`charrnn/${name}`, `manifest.json embedding ${cell(0)} ${cell(1)} rnnlm_softmax_w rnnlm_softmax_b ${alphabet}`);
const cifar = named("cifar10-jpeg", "train-images.u8 train-labels.u8 test-images.u8 test-labels.u8");

/** The files that a task is read from, by their paths in demo/data.json; those of MNIST have a way of their own. */
export const filesOf: Readonly<Record<TaskName, readonly string[]>> = {
  doodles: [...named("doodlenet", "model.json group1-shard1of1.bin class_names.txt"), "quickdraw/cats1000.bin"],
  digits: ["vit-mnist/vit_mnist_3class.pt"],
  darwin: [
    ...reader("shakespeare", "vocab-fixed.json"),
    ...reader("darwin", "vocab.json"),
    "charrnn/darwin-excerpt.txt",
  ],
  shakespeare: [
    ...named("tinystories-260k", "stories260K.bin tok512.bin"),
    ...["names/tinyshakespeare.txt", "charrnn/shakespeare-excerpt.txt"],
  ],
  classes: [
    ...named("mobilenet-v1-025", "model.json golden.json"),
    ...Array.from({ length: 55 }, (_, i) => `mobilenet-v1-025/group${i + 1}-shard1of1`),
    ...cifar,
  ],
  jpeg: ["resnet20-cifar10/model.safetensors", ...cifar],
};

export interface Task {
  readonly name: TaskName;
  /** For people. */
  readonly title: string;
  /** What is told of it, and whether more is better. */
  readonly figure: "accuracy" | "nats";
  /** What was asked for; a part of the gap to a network that was made for the task is a mark once both were measured. */
  readonly mark: number | { readonly ofGap: number };
  readonly steps: number;
  readonly batch: number;
  /** Base rates that are tried for each way with a seed of its own, on the validation part; neighbours are a factor of 4 apart. */
  readonly rates: readonly number[];
  /** Images, or pieces of text, of which the figure is. */
  readonly validation: number;
  readonly test: number;
  /** Layers by path, from the input to the head: those of a group are equally deep. */
  readonly groups: readonly (readonly string[])[];
  /** Layers that rest whatever is trained: statistics of few images would spoil those of many. */
  readonly rest?: string;
}

export const ways = {
  "one-rate": "one rate",
  "head-only": "head only",
  "head-then-all": "head, then all",
  "layer-decay": "layer decay 0.65",
  gradual: "gradual unfreezing",
  "input-first": "input first 0.65",
  "auto-rgn": "Auto-RGN",
  lora: "LoRA, rank 8",
  race: "race",
} as const;
export type WayName = keyof typeof ways;
export const wayNames = Object.keys(ways) as readonly WayName[];

/** Whether a way is for a task: low-rank factors stand beside products, and a recurrence is none. */
export const fits = (way: WayName, { name }: Pick<Task, "name">): boolean => way !== "lora" || name !== "darwin";

export interface Budget {
  readonly tasks: readonly Task[];
  readonly sweepSeed: number;
  /** How many times the copies of a race are compared. */
  readonly rungs: number;
}

const rates = [5e-4, 2e-3, 8e-3, 3.2e-2];
const numbered = (name: string, from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${name}${from + i}`);
/** Blocks of MobileNet by number; their normalizations rest. */
const pairs = (from: number, to: number): readonly string[] =>
  ["conv_dw_", "conv_pw_"].flatMap((name) => numbered(name, from, to));

export const full: Budget = {
  tasks: [
    {
      ...{ name: "doodles", title: "DoodleNet to digits, 100 labels", figure: "accuracy", mark: 90 },
      ...{ steps: 30, batch: 20, rates, validation: 300, test: 500 },
      groups: [["conv2d", "conv2d_1"], ["conv2d_2", "conv2d_3"], ["conv2d_4", "conv2d_5"], ["dense"], ["head"]],
    },
    {
      ...{ name: "digits", title: "ViT of three digits to ten, 1,000 labels", figure: "accuracy", mark: 85 },
      ...{ steps: 360, batch: 16, rates, validation: 300, test: 1000 },
      groups: [
        ["to_patch_embedding", "cls_token", "pos_embedding"],
        ...numbered("transformer.layers.", 0, 3).map((block) => [block]),
        ["mlp_head"],
      ],
    },
    {
      ...{ name: "darwin", title: "Char-LSTM, Shakespeare to Darwin", figure: "nats", mark: { ofGap: 0.6 } },
      ...{ steps: 50, batch: 8, rates, validation: 32, test: 64 },
      groups: [["tokens"], ["read"], ["read2"], ["head"]],
    },
    {
      ...{ name: "shakespeare", title: "TinyStories to Shakespeare", figure: "nats", mark: 2 },
      ...{ steps: 40, batch: 8, rates, validation: 32, test: 64 },
      groups: [...numbered("block", 0, 4).map((block) => [block]), ["tokens", "norm"]],
    },
    {
      ...{ name: "classes", title: "MobileNet to ten classes, 1,000 labels", figure: "accuracy", mark: 68 },
      ...{ steps: 90, batch: 32, rates, validation: 200, test: 500, rest: "**_bn" },
      groups: [["conv1", ...pairs(1, 3)], pairs(4, 7), pairs(8, 11), pairs(12, 13), ["head"]],
    },
    {
      ...{ name: "jpeg", title: "ResNet-20 on JPEG images", figure: "accuracy", mark: 82 },
      ...{ steps: 60, batch: 32, rates, validation: 200, test: 500 },
      groups: [["conv1", "bn1"], ["layer1"], ["layer2"], ["layer3"], ["linear"]],
    },
  ],
  sweepSeed: 1001,
  rungs: 3,
};

/** To see that all of it runs. Its figures mean nothing. */
export const quick: Budget = {
  ...full,
  tasks: full.tasks.map((task) => ({ ...task, steps: 3, batch: 4, rates: [1e-3, 1e-2], validation: 8, test: 8 })),
  rungs: 1,
};

/** Copies of a race: as many trainings at once as another way's sweep has, and the one after it. */
export const copiesOf = ({ rates }: Pick<Task, "rates">): number => rates.length + 1;

/** One fine-tuning, or a race, whose rate is none. */
export interface Request {
  readonly task: Task;
  readonly way: WayName;
  readonly rate: number | null;
  readonly seed: number;
  readonly part: "validation" | "test";
  readonly rungs: number;
}

export interface Tuned {
  /** Per cent, or nats a character; null where training came to numbers that are not finite. */
  readonly figure: number | null;
  /** How long the steps took. */
  readonly seconds: number;
}

/** What is known of a network before it is trained. */
export interface Opened {
  /** What others measured of it, and what is found here. */
  readonly known: { readonly what: string; readonly published: number; readonly found: number };
  /** Its figure on the task's test part, a new head as it begins. */
  readonly untuned: number;
  /** That of a network which was made for the task, or null. */
  readonly rival: number | null;
}
