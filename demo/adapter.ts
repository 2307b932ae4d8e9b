// The adapter as commands speak of it, and which one was asked for.

export interface Adapter {
  /** As the runtime names it, for instance "google swiftshader". */
  readonly name: string;
  /** True where the "GPU" is the CPU. */
  readonly software: boolean;
}

export function softwareWanted(): boolean {
  const wanted = process.env.GRADUS_ADAPTER;
  if (wanted && wanted !== "software") throw new Error(`GRADUS_ADAPTER: knows "software" only, not "${wanted}".`);
  return wanted === "software";
}
