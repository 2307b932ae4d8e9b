// What changes with the step: the same bind group for every kernel, moved along a ring by dynamic offsets.
struct Step {
  step: u32,   // number of this update, from 1
  slot: u32,   // place of its metrics in the submission
  start: u32,  // first entry of data.order that belongs to this batch
  count: u32,  // rows of the batch that are real; the last batch of an epoch may be short
}
@group(1) @binding(0) var<uniform> step: Step;
