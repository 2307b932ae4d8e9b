// How kernels run where that is measured: what `autotune` of gradus/autotune gives to `compile`, and what a run has of it. The core
// only asks; who measures, what is worth it and where it is kept is known to the entry point, which a page imports or not.

import type { Gpu } from "../gpu/device.ts";
import type { Chooser, chosen } from "../op/op.ts";
import type { commandOf } from "../step/command.ts";

/** What the core lends to who measures. */
export interface TuningCore {
  readonly chosen: typeof chosen;
  readonly commandOf: typeof commandOf;
  readonly warn: (message: string) => void;
}

/** The choices of a run: they do not change while it lasts. */
export interface Tuning extends Chooser {
  /** Measures what `choose` was asked and did not know. Whether it would choose otherwise now. */
  measure(): Promise<boolean>;
  /** What the signature of a checkpoint says of it: nothing where no bit depends on it. */
  readonly signature: string | undefined;
  /** What a checkpoint has to keep: nothing where no bit depends on it. */
  readonly choices: Readonly<Record<string, string>> | undefined;
  /** Goes on with what a checkpoint kept. Whether it would choose otherwise now. Throws CheckpointError where it cannot be read. */
  restore(choices: unknown): boolean;
}

/** Chooses how kernels run by measurement. Made by `autotune` of gradus/autotune. */
export interface Autotune {
  /** "cached": no bit of the results depends on it. "full": sums may be added in another order. */
  readonly mode: "cached" | "full";
  /** @internal */
  open(gpu: Gpu, core: TuningCore): Promise<Tuning>;
}

/** Asks an adapter whether it computes rightly, before there is a trainer on it. Made by `selfTest` of gradus/recover. */
export interface SelfTest {
  /** The tuning in whose place it stands, so that it hears what the step is made of; `run` throws DeviceError. @internal */
  open(
    gpu: Gpu,
    core: TuningCore,
    tuning: Tuning | undefined,
  ): { readonly tuning: Tuning; readonly run: () => Promise<void> };
}
