// What a soak keeps of the places of a training that it went back to, and lines to read.

/** What came of a place. */
export interface PlaceOutcome {
  readonly number: number;
  readonly step: number;
  /** Steps that were made again to reach it. */
  readonly replayed: number;
  /** What was not as it was; empty where all bits are. */
  readonly wrong: string;
}

/** Snapshots that the training left. */
export interface TimelineSize {
  readonly steps: number;
  readonly every: number;
  readonly snapshots: number;
  /** Of all of them, and of one checkpoint of the trainer. */
  readonly bytes: number;
  readonly checkpoint: number;
}

export interface PlacesReport {
  readonly asked: number;
  readonly done: number;
  readonly size?: TimelineSize;
  /** Steps made again, over all places, and at most. */
  readonly replayed: number;
  readonly most: number;
  readonly found: readonly PlaceOutcome[];
}

export const noPlaces = (asked: number): PlacesReport => ({ asked, done: 0, replayed: 0, most: 0, found: [] });

/** With more places. */
export function withPlaces(report: PlacesReport, size: TimelineSize, outcomes: readonly PlaceOutcome[]): PlacesReport {
  const replayed = outcomes.map((one) => one.replayed);
  return {
    asked: report.asked,
    done: report.done + outcomes.length,
    size,
    replayed: replayed.reduce((sum, one) => sum + one, report.replayed),
    most: Math.max(report.most, ...replayed),
    found: [...report.found, ...outcomes.filter(({ wrong }) => wrong !== "")],
  };
}

export const placeFailure = ({ number, step, wrong }: PlaceOutcome): string =>
  `place ${number}, step ${step}: ${wrong}\n  npm run soak -- --only branches --places 1 --seed ${number} --fresh`;

export function placesSummary({ asked, done, size, replayed, most, found }: PlacesReport): string[] {
  if (size === undefined) return [];
  const { steps, snapshots, bytes } = size;
  return [
    `${done - found.length} of ${done} places have their bits, of ${asked} asked: ${replayed} steps made again, at most ${most}; ${snapshots} snapshots of ${steps} steps, ${bytes} bytes`,
  ];
}
