// Where choices are kept, a text by key: the user's own { get, set }, or what the runtime has. What cannot be read is said and passed over,
// since a choice is only the name of a candidate: none is ever run that the kernel does not offer for the node at hand.

/** Texts by key, such as a Map; at once or later. */
export interface AutotuneStore {
  /** Gives the text, or null or undefined where there is none. */
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** Keeps a text. */
  set(key: string, value: string): unknown;
}

/** Candidates by class. */
export type Choices = Readonly<Record<string, string>>;

export const isChoices = (value: unknown): value is Choices =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((name) => typeof name === "string");

/** What is stored under a key: nothing where that cannot be read, which is said. */
export async function read(store: AutotuneStore, key: string, warn: (message: string) => void): Promise<Choices> {
  let why = "it is no record of choices";
  try {
    const text = await store.get(key);
    if (text === undefined || text === null) return {};
    const found: unknown = JSON.parse(text);
    if (isChoices(found)) return found;
  } catch (error) {
    why = String((error as Error)?.message ?? error);
  }
  warn(`autotune: what the store has for this adapter cannot be read (${why}), so it is measured anew.`);
  return {};
}

/** Adds choices to those under a key, which others may have added to since. */
export async function add(
  store: AutotuneStore,
  key: string,
  choices: Choices,
  warn: (message: string) => void,
): Promise<void> {
  const before = await read(store, key, () => undefined);
  try {
    await store.set(key, JSON.stringify({ ...before, ...choices }));
  } catch (error) {
    warn(
      `autotune: the store did not take what was measured (${(error as Error)?.message ?? error}), so the next start measures again.`,
    );
  }
}
