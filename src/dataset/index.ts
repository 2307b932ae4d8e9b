// The door of gradus/dataset: rows of arrays and of files, in parts, in batches, balanced and shuffled; and layers that change images at random.

export {
  type CutoutOptions,
  cutout,
  type RandomTranslationOptions,
  randomBrightness,
  randomCrop,
  randomFlip,
  randomTranslation,
} from "./augment.ts";
export { type BatchOptions, type BatchPlace, batch, type DatasetBatches, map, take } from "./batch.ts";
export {
  type ArraysOptions,
  arrays,
  type BalanceOptions,
  balance,
  type Dataset,
  join,
  type SeedOptions,
  shuffle,
  split,
  whole,
} from "./dataset.ts";
export { type ByteSource, type Field, type Fields, type RecordsOptions, type RecordType, records } from "./records.ts";
