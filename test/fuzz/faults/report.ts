// What a soak keeps of failing devices: how many places of each call were hit by each fault and what came of it, how many losses were
// recovered from, how many interruptions ended well, and all that was wrong.

import type { BetweenName, Interruption } from "./interruptions.ts";
import type { Loss } from "./losses.ts";
import type { FaultName } from "./seam.ts";
import type { Outcome, Place } from "./walk.ts";

/** Places of a fault that were reached, and how many of them ended in an error of ours, or in the numbers of a sound device. */
interface Tally {
  readonly places: number;
  readonly typed: number;
  readonly same: number;
}

export interface Walked extends Pick<Place, "setup" | "call"> {
  readonly byFault: Readonly<Partial<Record<FaultName, Tally>>>;
}

export interface FaultsReport {
  readonly walked: readonly Walked[];
  /** Labels of the buffers that each were none, once. */
  readonly buffers: readonly string[];
  readonly found: readonly Outcome[];
}

export interface LossesReport {
  readonly asked: number;
  /** Numbers from the seed on. */
  readonly done: number;
  readonly byCall: Readonly<Record<string, { readonly losses: number; readonly recovered: number }>>;
  readonly found: readonly Loss[];
}

export interface InterruptionsReport {
  readonly asked: number;
  /** Numbers from the seed on. */
  readonly done: number;
  /** How many ended in an error of ours, in the numbers of a run that nothing came between, or were not reached. */
  readonly byKind: Readonly<Partial<Record<BetweenName, Readonly<Record<"typed" | "same" | "unreached", number>>>>>;
  readonly found: readonly Interruption[];
}

export const noFaults: FaultsReport = { walked: [], buffers: [], found: [] };
export const noLosses = (asked: number): LossesReport => ({ asked, done: 0, byCall: {}, found: [] });
export const noInterruptions = (asked: number): InterruptionsReport => ({ asked, done: 0, byKind: {}, found: [] });

export const isWrong = ({ was }: { readonly was: string }): boolean => !["typed", "same", "unreached"].includes(was);
/** An error is none here: what can go on has to. */
export const isUnrecovered = ({ was }: Pick<Loss, "was">): boolean => was !== "same";

/** With a call walked through. */
export function withWalk(
  { walked, buffers, found }: FaultsReport,
  { setup, call }: Pick<Place, "setup" | "call">,
  outcomes: readonly Outcome[],
): FaultsReport {
  const byFault: Partial<Record<FaultName, Tally>> = {};
  for (const { fault, was } of outcomes.filter((one) => one.was !== "unreached")) {
    const { places, typed, same } = byFault[fault] ?? { places: 0, typed: 0, same: 0 };
    byFault[fault] = {
      places: places + 1,
      typed: typed + Number(was === "typed"),
      same: same + Number(was === "same"),
    };
  }
  const labels = outcomes.filter(({ fault }) => fault === "no buffer").map(({ name }) => name);
  return {
    walked: [...walked, { setup, call, byFault }],
    buffers: [...new Set([...buffers, ...labels])].sort(),
    found: [...found, ...outcomes.filter(isWrong)],
  };
}

/** With more losses. */
export function withLosses(report: LossesReport, losses: readonly Loss[]): LossesReport {
  const byCall = { ...report.byCall };
  for (const one of losses) {
    const { losses: known, recovered } = byCall[one.call] ?? { losses: 0, recovered: 0 };
    byCall[one.call] = { losses: known + 1, recovered: recovered + Number(!isUnrecovered(one)) };
  }
  const found = [...report.found, ...losses.filter(isUnrecovered)];
  return { ...report, done: report.done + losses.length, byCall, found };
}

/** With more interruptions. */
export function withInterruptions(report: InterruptionsReport, more: readonly Interruption[]): InterruptionsReport {
  const byKind = { ...report.byKind };
  for (const { by, was } of more.filter((one) => !isWrong(one))) {
    const known = byKind[by] ?? { typed: 0, same: 0, unreached: 0 };
    byKind[by] = { ...known, [was]: known[was as keyof typeof known] + 1 };
  }
  return { ...report, done: report.done + more.length, byKind, found: [...report.found, ...more.filter(isWrong)] };
}

export const faultFailure = ({ setup, call, fault, at, name, was, message = "" }: Outcome): string =>
  `${was}: ${setup}: ${call}: ${fault}, number ${at}${name === "" ? "" : ` (${name})`}: ${message}`;

/** `part`: of the soak; crashes are losses that are real. */
export const lossFailure = (
  { number, setup, call, at, of, was, message = "" }: Loss,
  part: "losses" | "crashes" = "losses",
): string =>
  `${was}: ${part} ${number}: ${setup}: ${call}, place ${at} of ${of}: ${message}\n  npm run soak -- --only ${part} --${part} 1 --seed ${number} --fresh`;

export const interruptionFailure = (one: Interruption): string =>
  [
    `${one.was}: interruption ${one.number}: ${one.setup}${one.survives ? ", survives" : ""}: ${one.calls.join(", ")}: number ${one.call + 1} ${one.by}, place ${one.at} of ${one.of}: ${one.message ?? ""}`,
    `  npm run soak -- --only interruptions --interruptions 1 --seed ${one.number} --fresh`,
  ].join("\n");

export function faultsSummary({ walked, buffers, found }: FaultsReport): string[] {
  if (walked.length === 0) return [];
  const all = walked.flatMap(({ byFault }) => Object.values(byFault));
  const sum = (key: keyof Tally): number => all.reduce((total, one) => total + one[key], 0);
  return [
    `${sum("places")} faults in ${walked.length} calls, at ${buffers.length} kinds of buffers: ${sum("typed")} typed errors, ${sum("same")} without effect, ${found.length} wrong`,
  ];
}

export function lossesSummary({ asked, done, byCall, found }: LossesReport, what = "losses"): string[] {
  if (done === 0) return [];
  const calls = Object.entries(byCall).map(([call, { losses, recovered }]) => `${call} ${recovered} of ${losses}`);
  return [`${done - found.length} of ${done} ${what} recovered, of ${asked} asked: ${calls.join(", ")}`];
}

export function interruptionsSummary({ asked, done, byKind, found }: InterruptionsReport): string[] {
  if (done === 0) return [];
  const sum = (key: "typed" | "same" | "unreached"): number =>
    Object.values(byKind).reduce((total, one) => total + one[key], 0);
  return [
    `${done} of ${asked} interruptions of ${Object.keys(byKind).length} kinds: ${sum("typed")} typed errors, ${sum("same")} with the bits of a run that nothing came between, ${sum("unreached")} not reached, ${found.length} wrong`,
  ];
}
