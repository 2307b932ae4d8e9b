// Lower rates of chosen layers when a number of the epochs gets no better: ReduceLROnPlateau of Keras, by the core's own, which is PyTorch's.

import { checkOptions } from "../foreign/options.ts";
import { reduceLROnPlateau as corePlateau, type ReduceLROnPlateauOptions } from "../index.ts";
import type { Callback } from "./callback.ts";
import { type MonitorOptions, modeOf, monitorKinds, monitorOf } from "./monitor.ts";

/** Options of the callback `reduceLROnPlateau`. */
export interface PlateauOptions extends MonitorOptions {
  /** Layers whose rates are reduced, by pattern. Default "**", all of them. */
  readonly layers?: string;
  /** Factor of a reduction, above 0 and below 1. Default 0.1. */
  readonly factor?: number;
  /** Epochs in a row without progress after which rates are reduced. Default 10. */
  readonly patience?: number;
  /** By how much a number must beat the best one to be progress. Default 1e-4. */
  readonly minDelta?: number;
  /** After a reduction, epochs until those without progress are counted again, itself the first of them. Default 0. */
  readonly cooldown?: number;
  /** Lowest rate; by pattern of layers, in the place of `layers`, as `reduceLROnPlateau` of the core takes it. Default 0. */
  readonly minLr?: NonNullable<ReduceLROnPlateauOptions["minLr"]>;
  /** Told of each reduction. A promise is awaited. */
  readonly onReduce?: (at: { readonly epoch: number; readonly value: number }) => unknown;
}

/**
 * Multiplies base rates by `factor` when an epoch's number has not got better for `patience` epochs, as Keras' ReduceLROnPlateau; each
 * reduction is an edit of the rates, and schedules go on over it. The core's function of this name is PyTorch's and is fed by hand: its
 * patience and cooldown are each one more. The controller `lossPlateau` reads the training loss on the GPU, step by step and without
 * validation, and its factor is apart from the base rates. Each fit begins anew. Throws as `earlyStopping` does, and NameError where a
 * pattern names no layer.
 */
export function reduceLROnPlateau(options: PlateauOptions = {}): Callback {
  const place = "reduceLROnPlateau";
  checkOptions(place, options, {
    ...monitorKinds,
    layers: "a name",
    factor: "a number between 0 and 1",
    patience: "a whole number of at least 0",
    minDelta: "a finite number of at least 0",
    cooldown: "a whole number of at least 0",
    minLr: "anything",
    onReduce: "a function",
  });
  modeOf(place, options);
  const { layers, factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minLr, onReduce } = options;
  return (run) => {
    const monitor = monitorOf(place, options, run);
    const plateau = corePlateau(run.trainer.rates, {
      ...{ mode: monitor.mode, factor, threshold: minDelta, thresholdMode: "abs", eps: 0 },
      ...{ patience: Math.max(0, patience - 1), cooldown: Math.max(0, cooldown - 1) },
      ...(layers !== undefined && { layers }),
      ...(minLr !== undefined && { minLr }),
    });
    return {
      onEpoch(epoch) {
        const value = monitor.read(epoch);
        return plateau.step(value) ? onReduce?.({ epoch: epoch.epoch, value }) : undefined;
      },
    };
  };
}
