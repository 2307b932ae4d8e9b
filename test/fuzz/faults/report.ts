// What a soak keeps of failing devices: how many places of each call were hit by each fault and what came of it, how many losses were
// recovered from, and all that was wrong.

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

export const noFaults: FaultsReport = { walked: [], buffers: [], found: [] };
export const noLosses = (asked: number): LossesReport => ({ asked, done: 0, byCall: {}, found: [] });

export const isWrong = ({ was }: Pick<Outcome, "was">): boolean => !["typed", "same", "unreached"].includes(was);
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

export const faultFailure = ({ setup, call, fault, at, name, was, message = "" }: Outcome): string =>
  `${was}: ${setup}: ${call}: ${fault}, number ${at}${name === "" ? "" : ` (${name})`}: ${message}`;

export const lossFailure = ({ number, setup, call, at, of, was, message = "" }: Loss): string =>
  `${was}: loss ${number}: ${setup}: ${call}, place ${at} of ${of}: ${message}\n  npm run soak -- --only losses --losses 1 --seed ${number} --fresh`;

export function faultsSummary({ walked, buffers, found }: FaultsReport): string[] {
  if (walked.length === 0) return [];
  const all = walked.flatMap(({ byFault }) => Object.values(byFault));
  const sum = (key: keyof Tally): number => all.reduce((total, one) => total + one[key], 0);
  return [
    `${sum("places")} faults in ${walked.length} calls, at ${buffers.length} kinds of buffers: ${sum("typed")} typed errors, ${sum("same")} without effect, ${found.length} wrong`,
  ];
}

export function lossesSummary({ asked, done, byCall, found }: LossesReport): string[] {
  if (done === 0) return [];
  const calls = Object.entries(byCall).map(([call, { losses, recovered }]) => `${call} ${recovered} of ${losses}`);
  return [`${done - found.length} of ${done} losses recovered, of ${asked} asked: ${calls.join(", ")}`];
}
