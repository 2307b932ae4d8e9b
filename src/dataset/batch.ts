// Batches of a data set, as a fit takes them: made on the way, with the next rows read while the GPU works, in an order that a run which goes on
// finds again; and what is done to batches.

import { checkKind, checkOptions, say } from "../foreign/options.ts";
import { type Batches, type EpochBatches, OptionError, type Samples } from "../index.ts";
import { checkDataset, type Dataset, part, type SeedOptions } from "./dataset.ts";
import { type Group, groupsOf } from "./order.ts";
import { chained, picked } from "./rows.ts";

/** Options of `batch`. */
export interface BatchOptions extends SeedOptions {
  /**
   * Whether each epoch has an order of its own. What is in memory is shuffled as a whole; of a file blocks are drawn, as many as `memory` holds, and the
   * rows of these are mixed: a row comes with those of other blocks, but not with any of the file. Default false.
   */
  readonly shuffle?: boolean;
  /** Whether a last batch that is not full is left out. Default false. */
  readonly dropLast?: boolean;
  /**
   * Bytes of rows that are held at most, in what is being trained on, in what is read for afterwards, and in a batch that is begun. Default 64 MiB. What is
   * in memory already counts nothing.
   */
  readonly memory?: number;
  /** Rows of a file that are read together and stay together in the order of blocks. Default: those of 256 KiB. */
  readonly block?: number;
}

/** Batches of a data set. */
export interface DatasetBatches extends EpochBatches {
  /** Batches of an epoch. */
  readonly batches: number;
  /** Bytes of rows that are held now. */
  readonly held: number;
  /** The most that were ever held. */
  readonly mostHeld: number;
}

const BLOCK = 2 ** 18;

/** Rows that are in memory, or on their way. */
interface Window {
  readonly group: Group;
  /** Some of them, by their places in it. */
  readonly take: (order: Uint32Array) => Samples | Promise<Samples>;
}

/**
 * Batches of `size` rows, the last one of what is left. A fit asks them for the epoch and the batch at which it stands, so that `resume: true` goes on
 * to the same bits and reads only what is still to come. Throws OptionError where `memory` does not hold a batch and two rows more.
 *
 * @example await trainer.fit(batch(set, 64, { shuffle: true, seed: 1, memory: 64e6 }), { epochs: 3 });
 */
export function batch(set: Dataset, size: number, options: BatchOptions = {}): DatasetBatches {
  const place = "batch";
  checkDataset(place, set);
  checkKind(place, "size", size, "a whole number of at least 1");
  checkOptions(place, options, {
    seed: "a whole number",
    shuffle: "true or false",
    dropLast: "true or false",
    memory: "a whole number of at least 1",
    block: "a whole number of at least 1",
  });
  const { count, bytes } = set;
  const { seed = 0, shuffle = false, dropLast = false, memory = 2 ** 26 } = options;
  const batches = dropLast ? Math.floor(count / size) : Math.ceil(count / size);
  if (batches === 0)
    throw new OptionError(
      `${place}: the set has ${count} rows and a batch ${size}, so that dropLast leaves none. Give smaller batches.`,
    );
  const isThere = bytes === 0;
  const fitting = isThere ? count : Math.floor((memory / bytes - size) / 2);
  if (fitting < 1)
    throw new OptionError(
      `${place}: memory is ${memory} bytes, a batch of ${size} rows and two more of ${bytes} bytes each are ${(size + 2) * bytes}. Give at least these.`,
    );
  const block = isThere ? count : Math.min(options.block ?? Math.ceil(BLOCK / bytes), fitting);
  const course = { ...{ count, block, seed, shuffle }, window: Math.floor(fitting / block) };
  let held = 0;
  let mostHeld = 0;

  async function* walk(epoch: number, from: number): AsyncGenerator<Samples, undefined> {
    const groups = groupsOf(course, epoch);
    let mine = 0;
    const hold = (rows: number): void => {
      mine += rows;
      held += rows * bytes;
      mostHeld = Math.max(held, mostHeld);
    };
    const opened = (group: Group | undefined): Window | undefined => {
      if (group === undefined) return undefined;
      if (isThere) return { group, take: (order) => set.rows(order.map((i) => group.rows[i] as number)) };
      hold(group.rows.length);
      const all = Promise.resolve(set.rows(group.rows));
      // Told where it is waited for, if it still is.
      all.catch(() => undefined);
      return { group, take: async (order) => picked(await all, group.rows.length, order) };
    };
    const following = (): Group | undefined => groups.next().value ?? undefined;
    let at = from * size;
    let group = following();
    for (; group !== undefined && at >= group.rows.length; group = following()) at -= group.rows.length;
    let begun: Samples[] = [];
    let rows = 0;
    try {
      let next: Window | undefined;
      for (let now = opened(group); now !== undefined; now = next) {
        const { length } = now.group.order;
        next = undefined;
        for (let isFirst = true; at < length; isFirst = false) {
          const order = now.group.order.subarray(at, at + size - rows);
          hold(order.length);
          begun.push(await now.take(order));
          rows += order.length;
          at += order.length;
          // Read while the GPU has these to work on.
          if (isFirst) next = opened(following());
          if (rows < size) continue;
          const made = chained(begun);
          hold(-rows);
          [begun, rows] = [[], 0];
          yield made;
        }
        at = 0;
        hold(isThere ? 0 : -length);
      }
      if (rows > 0 && !dropLast) yield chained(begun);
      return undefined;
    } finally {
      hold(-mine);
    }
  }

  return {
    batches,
    get held() {
      return held;
    },
    get mostHeld() {
      return mostHeld;
    },
    from: walk,
    [Symbol.asyncIterator]: () => walk(0, 0),
  };
}

/** Batches that know their place: of an iterable that does not, those before a place are passed over. */
function placed(place: string, data: Batches): Pick<EpochBatches, "batches" | "from"> {
  const { batches, from } = Object(data) as Partial<EpochBatches>;
  if (typeof from === "function") return { batches, from: (epoch, at) => (data as EpochBatches).from(epoch, at) };
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(data);
  if (typeof (later ?? now) !== "function")
    throw new OptionError(`${place}: ${say(data)} is no batches. Give what batch() made, or an iterable of { x, y }.`);
  return {
    batches: undefined,
    async *from(_, at) {
      let seen = 0;
      for await (const samples of data) if (seen++ >= at) yield samples;
    },
  };
}

/** Batches that are made of others: `through` gets those from a place on. */
function made(
  place: string,
  data: Batches,
  through: (walk: AsyncIterable<Samples>, epoch: number, batch: number) => AsyncIterator<Samples>,
  count: (batches: number) => number = (batches) => batches,
): EpochBatches {
  const { batches, from } = placed(place, data);
  const walk = (epoch: number, batch: number): AsyncIterator<Samples> =>
    through({ [Symbol.asyncIterator]: () => from(epoch, batch) }, epoch, batch);
  return {
    batches: batches === undefined ? undefined : count(batches),
    from: walk,
    [Symbol.asyncIterator]: () => walk(0, 0),
  };
}

/** Where a batch stands, both from 0. */
export interface BatchPlace {
  /** Passes over the data before it. */
  readonly epoch: number;
  /** Batches of this pass before it. */
  readonly batch: number;
}

/**
 * Batches of which each is changed on the host. `change` gets its place too: what it draws by that is the same in a run that goes on. What can be done
 * on the GPU costs less there, as `randomFlip()` does.
 *
 * @example map(batches, ({ x, y }) => ({ x, y: y.map((label) => label % 10) }))
 */
export function map(
  data: Batches,
  change: (samples: Samples, place: BatchPlace) => Samples | Promise<Samples>,
): EpochBatches {
  checkKind("map", "change", change, "a function");
  return made("map", data, async function* (walk, epoch, from) {
    let batch = from;
    for await (const samples of walk) yield await change(samples, { epoch, batch: batch++ });
  });
}

/**
 * The first rows of a data set, or the first batches of each epoch. Throws OptionError where a set has fewer.
 *
 * @example take(set, 1000)
 */
export function take(data: Dataset, count: number): Dataset;
/** The first batches of each epoch. */
export function take(data: Batches, count: number): EpochBatches;
export function take(data: Dataset | Batches, count: number): Dataset | EpochBatches {
  const place = "take";
  checkKind(place, "count", count, "a whole number of at least 1");
  if ("rows" in Object(data)) {
    const set = data as Dataset;
    if (count <= set.count) return part(set, 0, count);
    throw new OptionError(`${place}: ${count} rows are asked for, the set has ${set.count}. Take fewer.`);
  }
  return made(
    place,
    data as Batches,
    async function* (walk, _, from) {
      let batch = from;
      if (batch >= count) return;
      for await (const samples of walk) {
        yield samples;
        if (++batch >= count) return;
      }
    },
    (batches) => Math.min(batches, count),
  );
}
