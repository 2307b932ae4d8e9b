// What changes with the step: the same bind group for every kernel, moved along a ring by dynamic offsets.
struct Step {
  step: u32,   // number of this update, from 1
  slot: u32,   // place of its metrics in the submission
  start: u32,  // first entry of data.order that belongs to this batch
  count: u32,  // rows of the batch that are real; the last batch of an epoch may be short
  momentum: f32,  // where a schedule moves it
  rest: f32,      // 1 - momentum
  weight: f32,    // share of this micro-batch in its update
  first: u32,     // 1 at the first micro-batch of an update
  seed: u32,
  draw: u32,      // batches since training began, this one included: 0 is the draw of initial values
}
@group(1) @binding(0) var<uniform> step: Step;
