// What optimizers keep, by tensor: moments and counts of updates, held against the rules of a trainer before it takes them over.

import type { Numbers } from "../data/numbers.ts";
import { listed, NameError, OptionError } from "../errors.ts";
import type { Moment } from "../kernels/update.ts";
import { ownOf, type PlacedNumbers, placedAt, placedNumbers, type ShapedNumbers } from "../network/named.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Row } from "../optim/row.ts";
import { isRecord, shown } from "../option.ts";
import type { Placed } from "../plan/layout.ts";
import type { HostTensor } from "../step/store.ts";

/**
 * What an optimizer kept of a tensor, in the tensor's own order: all moments that its rule has. moment1 is the mean of gradients of the
 * Adam family, the buffer of sgd, the sum or mean of squares of adagrad, adadelta and rmsprop; moment2 the mean of squares of the Adam
 * family, of steps in adadelta, the buffer of rmsprop; moment3 the largest mean of squares of amsgrad, the mean of a centred rmsprop.
 */
export interface TensorState<Given = Numbers | ShapedNumbers> {
  /** Updates that the tensor has had: the next one is corrected and scheduled as number `step` + 1. */
  readonly step: number;
  /** As many numbers as the tensor; left out where the rule has none. */
  readonly moment1?: Given;
  /** Likewise. */
  readonly moment2?: Given;
  /** Likewise. */
  readonly moment3?: Given;
}

/** A state of optimizers, such as `trainer.state()`, `fromKeras` and `loadOptimizer` give. What else it holds is passed over. */
export interface OptimizerState {
  /** Updates made in all, from which schedules go on. Default: the most that one of the tensors, or the trainer, has had. */
  readonly step?: number;
  /** By tensor name. */
  readonly tensors: Readonly<Record<string, TensorState>> | ReadonlyMap<string, TensorState>;
}

/** The state of a trainer. */
export interface TrainerState {
  /** Updates made. */
  readonly step: number;
  /** By tensor name. */
  readonly tensors: ReadonlyMap<string, TensorState<HostTensor>>;
}

/** A state that fits. */
export interface CheckedState {
  readonly step: number | undefined;
  readonly moments: readonly (PlacedNumbers & { readonly role: Moment })[];
  /** Updates by row. */
  readonly counts: ReadonlyMap<number, number>;
}

/**
 * Holds a state against the rules of the tensors, before anything moves. Throws NameError for tensors and moments that there are not, and
 * for moments that are missing, ShapeError and DataError for their numbers, OptionError for what is no count. `partial`: tensors that
 * the model lacks are left out.
 */
export function checkedState(
  place: string,
  { rows, base }: Pick<RateTable, "rows" | "base">,
  tensors: readonly Placed[],
  given: OptimizerState,
  partial = false,
): CheckedState {
  const kept: unknown = given?.tensors;
  if (!isRecord(given) || !(kept instanceof Map || isRecord(kept))) {
    throw new OptionError(
      `${place}: it is ${shown(given)}, it must be { step, tensors: { name: { step, moment1 } } }.`,
    );
  }
  const all: (readonly [string, TensorState])[] = kept instanceof Map ? [...kept] : Object.entries(kept);
  const own = partial ? ownOf(place, [...tensors.map(({ name }) => name), ...base], all) : all;
  const counts = new Map<number, number>();
  const moments = own.flatMap(([name, state]) => {
    const row = tensors.indexOf(placedAt(place, tensors, name, base));
    const { name: rule, moments: wanted, rooted = [] } = (rows[row] as Row).optimizer.rule;
    const { step, ...given } = Object(state) as TensorState;
    counts.set(row, count(`${place}: step of "${name}"`, step));
    const has = Object.keys(given).filter((key) => given[key as Moment] !== undefined);
    const wrong = [...has, ...wanted].find((key) => !has.includes(key) || !wanted.includes(key as Moment));
    if (wrong !== undefined) {
      throw new NameError(
        `${place}: "${name}" is trained by ${rule}, which keeps ${listed(wanted) || "nothing"}; ${wrong} is ${has.includes(wrong) ? "given" : "missing"}. Give step and these, or compile with the optimizer that made them.`,
      );
    }
    return wanted.flatMap((role) =>
      placedNumbers(`${place}: ${role}`, tensors, new Map([[name, given[role] as Numbers]])).map((one) => {
        const bad = rooted.includes(role) ? one.values.findIndex((value) => value < 0) : -1;
        if (bad < 0) return { ...one, role };
        throw new OptionError(
          `${place}: ${role} of "${name}" is ${one.values[bad]} at ${bad}, it must be at least 0: ${rule} takes its root.`,
        );
      }),
    );
  });
  const { step } = given;
  return { step: step === undefined ? step : count(`${place}: step`, step), moments, counts };
}

function count(what: string, value: unknown): number {
  if (value === (value as number) >>> 0) return value as number;
  throw new OptionError(`${what} is ${shown(value)}, it must be a whole number from 0 to ${2 ** 32 - 1}.`);
}
