// The controllers, layer by layer, from the sums over the layer's tensors that take part: what each of them says of the rate,
// and by how much gradients are clipped. `numbersOf` lays a layer's memory out as the engine keeps it.

import type { Controller, NormClip } from "../../src/kernels/control.ts";
import type { Round } from "./twin.ts";

/** Norms of a layer, and the squared length of its last step. */
export interface LayerNorms {
  readonly gradient: number;
  readonly weight: number;
  readonly direction: number;
  readonly product: number;
  readonly bad: number;
  readonly moved: number;
}

export const startMemory = () => ({
  guard: { scale: 1, mean: 0, until: 0, seen: 0 },
  ratio: 1,
  rgn: { scale: 1, sum: 0, count: 0 },
  hyper: 1,
  plateau: { scale: 1, best: 3e38, bad: 0, cooldown: 0, sum: 0, count: 0 },
  alarm: 0,
});

export type Memory = ReturnType<typeof startMemory>;

export const numbersOf = ({ guard, ratio, rgn, hyper, plateau }: Memory): number[] => [
  ...[guard.scale, guard.mean, guard.until, guard.seen, ratio, rgn.scale, rgn.sum, rgn.count, hyper],
  ...[plateau.scale, plateau.best, plateau.bad, plateau.cooldown, plateau.sum, plateau.count, 0],
];

export interface Control {
  readonly controllers: readonly Controller[];
  readonly clip: NormClip | undefined;
  readonly step: number;
  readonly loss: number;
  readonly round: Round;
}

/** Factors of a layer's gradients and rates; undefined where it rests or takes no part. */
export type Factors = readonly [gradient: number, rate: number] | undefined;

/** `layers`: norms of those that take part, and the names of the controllers that steer them. Changes the memories. */
export function control(
  layers: readonly (LayerNorms | undefined)[],
  steers: (layer: number, name: Controller["name"]) => boolean,
  memories: readonly Memory[],
  { controllers, clip, step, loss, round }: Control,
): readonly Factors[] {
  const root = (square: number): number => round(Math.sqrt(square));
  const within = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  const numbers: Record<string, number> = Object.assign({}, ...controllers.map(({ constants }) => constants));
  const of = (name: string): number => round(numbers[name]!);
  const active = layers.map((norms, layer) =>
    norms === undefined || (steers(layer, "guard") && rests(norms, memories[layer]!)) ? undefined : norms,
  );

  function rests({ gradient, bad }: LayerNorms, memory: Memory): boolean {
    const { guard } = memory;
    if (step < guard.until) return true;
    const length = root(gradient);
    const isLarge = guard.seen >= of("GUARD_WARMUP") && length > round(of("GUARD_FACTOR") * guard.mean);
    if (bad > 0 || !Number.isFinite(gradient) || isLarge) {
      Object.assign(guard, { scale: Math.max(guard.scale / 2, 1 / 1024), until: step + of("REST") });
      memory.alarm = step;
      return true;
    }
    const past = round(of("GUARD_DECAY") * guard.mean);
    guard.mean = guard.seen === 0 ? length : round(past + round(round(1 - of("GUARD_DECAY")) * length));
    guard.seen++;
    guard.scale = Math.min(1, round(guard.scale * of("RECOVERY")));
    return false;
  }

  // What needs all layers at once: the norm of all gradients, and the largest relative one.
  let all = 0;
  let largest = 0;
  for (const [layer, norms] of active.entries()) {
    if (norms === undefined) continue;
    all = round(all + norms.gradient);
    if (!steers(layer, "autoRgn")) continue;
    const { rgn } = memories[layer]!;
    if (norms.weight > 0) rgn.sum = round(rgn.sum + root(round(norms.gradient / norms.weight)));
    rgn.count++;
    largest = Math.max(largest, round(rgn.sum / rgn.count));
  }

  function rateOf(layer: number, { gradient, weight, direction, product, moved }: LayerNorms): number {
    const memory = memories[layer]!;
    const { rgn, plateau } = memory;
    let rate = memory.guard.scale;
    if (steers(layer, "updateRatio")) {
      if (moved > 0 && weight > 0) {
        const push = round((of("RATIO_TARGET") / root(round(moved / weight))) ** of("RATIO_POWER"));
        memory.ratio = within(round(memory.ratio * within(push, 0.5, 2)), of("RATIO_MIN"), of("RATIO_MAX"));
      }
      rate = round(rate * memory.ratio);
    }
    if (steers(layer, "autoRgn")) {
      if (rgn.count >= of("RGN_STEPS")) {
        const scale = largest > 0 ? Math.max(round(round(rgn.sum / rgn.count) / largest), of("RGN_MIN")) : rgn.scale;
        Object.assign(rgn, { scale, sum: 0, count: 0 });
      }
      rate = round(rate * rgn.scale);
    }
    if (steers(layer, "hypergradient")) {
      if (gradient > 0 && direction > 0) {
        const cosine = round(product / round(root(gradient) * root(direction)));
        const push = within(round(1 + round(of("HYPER_RATE") * cosine)), 0.5, 2);
        memory.hyper = within(round(memory.hyper * push), of("HYPER_MIN"), of("HYPER_MAX"));
      }
      rate = round(rate * memory.hyper);
    }
    if (steers(layer, "lossPlateau")) {
      read(plateau);
      rate = round(rate * plateau.scale);
    }
    return rate;
  }

  function read(plateau: Memory["plateau"]): void {
    plateau.sum = round(plateau.sum + loss);
    plateau.count++;
    if (plateau.count < of("PLATEAU_STEPS")) return;
    const mean = round(plateau.sum / of("PLATEAU_STEPS"));
    const isBetter = mean < round(plateau.best * round(1 - of("PLATEAU_THRESHOLD")));
    Object.assign(plateau, { sum: 0, count: 0 }, isBetter ? { best: mean, bad: 0 } : { bad: plateau.bad + 1 });
    if (plateau.cooldown > 0) Object.assign(plateau, { cooldown: plateau.cooldown - 1, bad: 0 });
    if (plateau.bad <= of("PLATEAU_PATIENCE")) return;
    plateau.scale = Math.max(round(plateau.scale * of("PLATEAU_FACTOR")), of("PLATEAU_MIN"));
    Object.assign(plateau, { cooldown: of("PLATEAU_COOLDOWN"), bad: 0 });
  }

  return active.map((norms, layer): Factors => {
    if (norms === undefined) return undefined;
    const rate = rateOf(layer, norms);
    if (clip === undefined) return [1, rate];
    const length = root(clip.byLayer ? norms.gradient : all);
    return [Math.min(1, round(round(clip.most) / round(length + round(1e-6)))), rate];
  });
}
