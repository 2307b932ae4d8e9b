// c[l, p] = how many real rows have label l and their first largest logit at p; of numbers (BINARY) p is 1 where a logit is above LOGIT,
// and l where the target is above 0.5. A label that does not count (IGNORING), or is no class, is in none. A thread for each label, so
// that no two count in one place.
${STEP}
const LONG = 4096u;  // turns of a loop, which some drivers end after 65,535

override ROWS: u32;
override SPAN: u32;  // rows of a sample
override CLASSES: u32;
#if ${BINARY}
override LOGIT: f32;
#endif
#if ${IGNORING}
override IGNORED: u32;
#endif

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [ROWS, C], or [ROWS]
#if ${BINARY}
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [ROWS]

fn label_of(row: u32) -> u32 { return u32(targets[row] > 0.5); }

fn told_of(row: u32) -> u32 { return u32(x[row] > LOGIT); }
#else
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [ROWS]

fn label_of(row: u32) -> u32 { return labels[row]; }

fn told_of(row: u32) -> u32 {
  let first = row * CLASSES;
  var best = 0u;
  for (var begin = 0u; begin < CLASSES; begin += LONG) {
    for (var c = begin; c < min(CLASSES, begin + LONG); c++) { best = select(best, c, x[first + c] > x[first + best]); }
  }
  return best;
}
#endif
@group(0) @binding(2) var<storage, read_write> c: array<f32>;  // [C, C]: whole numbers

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let own = id.x;
  if (own >= CLASSES) { return; }
  for (var begin = 0u; begin < CLASSES; begin += LONG) {
    for (var p = begin; p < min(CLASSES, begin + LONG); p++) { c[own * CLASSES + p] = 0; }
  }
#if ${IGNORING}
  if (own == IGNORED) { return; }
#endif
  let real = min(ROWS, step.count * SPAN);
  for (var begin = 0u; begin < real; begin += LONG) {
    for (var row = begin; row < min(real, begin + LONG); row++) {
      if (label_of(row) == own) { c[own * CLASSES + told_of(row)] += 1; }
    }
  }
}
