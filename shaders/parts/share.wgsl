// What each value of a loss counts in the mean over the step's real samples, FACTOR times that mean: all the same, or as its weight
// says (WEIGHTED). A value that does not count may be anything.
override FACTOR: f32;
override SPAN: u32;  // values of a sample
#if ${WEIGHTED}
override VALUES: u32;  // for which one weight stands
@group(0) @binding(4) var<storage, read> scales: array<f32>;  // [B, SPAN / VALUES]

fn scale_of(i: u32) -> f32 { return scales[i / VALUES]; }

fn weighed(value: f32, scale: f32) -> f32 { return select(value * scale, 0, scale == 0); }

// A sum of weighed values as what it adds to the loss of a sample, of which metrics make the mean.
fn share_of(sum: f32) -> f32 { return sum * f32(step.count); }
#else
fn scale_of(i: u32) -> f32 { return FACTOR / (f32(SPAN) * f32(step.count)); }

fn weighed(value: f32, scale: f32) -> f32 { return value; }

fn share_of(sum: f32) -> f32 { return sum * FACTOR / f32(SPAN); }
#endif
