// What the study compares: tasks, methods, and the budget that every run of every method gets. Plain data, for the
// command and for its page.

/** What a network is pre-trained on: the digits 0 to 4, or all ten. */
export type Family = "low" | "all";
/** What differs between pre-training and the task. */
export type Shift = "new digits" | "noise" | "blur" | "inversion" | "flipped labels";

export interface Task {
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly family: Family;
  readonly shift: Shift;
  /** Labelled images of each class to fine-tune on. */
  readonly perClass: number;
}

export const tasks: readonly Task[] = [
  { name: "new-10", title: "New digits, 10 labels", family: "low", shift: "new digits", perClass: 10 },
  { name: "new-50", title: "New digits, 50 labels", family: "low", shift: "new digits", perClass: 50 },
  { name: "new-100", title: "New digits, 100 labels", family: "low", shift: "new digits", perClass: 100 },
  { name: "noise", title: "Noise", family: "all", shift: "noise", perClass: 10 },
  { name: "blur", title: "Blur", family: "all", shift: "blur", perClass: 10 },
  { name: "inversion", title: "Inverted images", family: "all", shift: "inversion", perClass: 10 },
  { name: "flip", title: "Labels y → 9 − y", family: "all", shift: "flipped labels", perClass: 10 },
];

export const methods = {
  "one-rate": "one rate",
  "head-only": "head only",
  "layer-decay": "layer decay 0.65",
  gradual: "gradual unfreezing",
  "input-first": "input first 0.65",
  "auto-rgn": "Auto-RGN",
} as const;

export type MethodName = keyof typeof methods;
export const methodNames = Object.keys(methods) as readonly MethodName[];

/** What every method gets, of everything. */
export interface Budget {
  readonly pretraining: { readonly steps: number; readonly batch: number; readonly lr: number };
  /** Updates of a fine-tuning, and images in each. */
  readonly steps: number;
  readonly batch: number;
  /** Base rates that are tried for every task and method, with each of these seeds, on images of the validation part. */
  readonly rates: readonly number[];
  readonly sweepSeeds: readonly number[];
  readonly validation: number;
  /** Test images. */
  readonly test: number;
}

export const full: Budget = {
  pretraining: { steps: 1000, batch: 32, lr: 0.01 },
  steps: 120,
  batch: 16,
  rates: [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
  sweepSeeds: [1001, 1002],
  validation: 1000,
  test: 2000,
};

/** To see that all of it runs. Its accuracies mean nothing. */
export const quick: Budget = {
  pretraining: { steps: 40, batch: 32, lr: 0.01 },
  steps: 12,
  batch: 16,
  rates: [1e-3, 1e-2],
  sweepSeeds: [1001],
  validation: 100,
  test: 200,
};

export const quickTasks: readonly string[] = ["new-10", "inversion"];

/** One fine-tuning. */
export interface Request {
  readonly task: Task;
  readonly method: MethodName;
  readonly rate: number;
  readonly seed: number;
  readonly part: "validation" | "test";
  readonly budget: Budget;
}

export interface Tuned {
  /** Part of the images of `part` that are right; 0 where training came to numbers that are not finite. */
  readonly accuracy: number;
  /** Updates that were made. */
  readonly steps: number;
}
