// Where a measurement stands, in a line.

/** Hears it before each block. What it throws ends the measurement, which frees what it holds. */
export type Progress = (line: string) => Promise<void>;
