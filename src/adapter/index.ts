// The door of gradus/adapter: few weights that train beside many that do not.

export { type BitFitOptions, bitFit } from "./bit-fit.ts";
export { type HoulsbyOptions, houlsby } from "./houlsby.ts";
export { type LoraOptions, lora } from "./lora.ts";
export { type MergeOptions, merge, unmerge } from "./merge.ts";
export {
  type LoadAdaptersOptions,
  loadAdapters,
  type SaveAdaptersOptions,
  type SavedAdapters,
  saveAdapters,
} from "./peft.ts";
