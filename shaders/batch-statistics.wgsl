// Mean and 1 / sqrt(variance + EPS) of each channel over the rows of real samples, and what their running values become; or, of a part
// of the rows (SPLIT), the mean and the sum of squared distances from it. MERGED: x are such parts. Twice over the rows, the second
// time from the mean, so that a mean far from 0 costs no digits (Chan, Golub and LeVeque 1983). A workgroup for each channel, or four.
${STEP}
alias V = ${V};
${JOINED}
const LONG = 256u;  // terms of a part of a sum, which would lose digits if it were one

override CHANNELS: u32;  // or a fourth of them
override SPLITS: u32;
#if ${SPLIT}
#else
override EPS: f32;
override MOMENTUM: f32;
override REST: f32;  // 1 - MOMENTUM
override LESS: f32;  // taken off the count of the running variance
#endif

#if ${MERGED}
@group(0) @binding(0) var<storage, read> x: array<V>;  // [SPLITS, 2, C]
#else
@group(0) @binding(0) var<storage, read> x: array<V>;  // [rows, C]
#endif
#if ${SPLIT}
@group(0) @binding(1) var<storage, read_write> parts: array<V>;  // [SPLITS, 2, C]
#else
@group(0) @binding(1) var<storage, read> movingMean: array<V>;  // [C]
@group(0) @binding(2) var<storage, read> movingVariance: array<V>;  // [C]
@group(0) @binding(3) var<storage, read_write> mean: array<V>;  // [C]
@group(0) @binding(4) var<storage, read_write> inverse: array<V>;  // [C]
@group(0) @binding(5) var<storage, read_write> nextMean: array<V>;  // [C]
@group(0) @binding(6) var<storage, read_write> nextVariance: array<V>;  // [C]
#endif

// Rows before those of part k.
fn rows_before(k: u32) -> u32 {
  let rows = ${REAL};
  return min(rows, k * ((rows + SPLITS - 1) / SPLITS));
}

#if ${MERGED}
fn count_of(k: u32) -> f32 { return f32(rows_before(k + 1) - rows_before(k)); }

fn mean_of(k: u32, channel: u32) -> V { return x[2 * k * CHANNELS + channel]; }

fn squares_of(k: u32, channel: u32) -> V { return x[(2 * k + 1) * CHANNELS + channel]; }
#else
fn count_of(k: u32) -> f32 { return 1; }

fn mean_of(k: u32, channel: u32) -> V { return x[k * CHANNELS + channel]; }

fn squares_of(k: u32, channel: u32) -> V { return V(); }
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.y * groups.x + workgroup.x;
#if ${SPLIT}
  if (i >= SPLITS * CHANNELS) { return; }
  let begin = rows_before(i / CHANNELS);
  let end = rows_before(i / CHANNELS + 1);
  let count = f32(max(1, end - begin));
#else
  if (i >= CHANNELS) { return; }
  let begin = 0u;
  let count = f32(rows_before(SPLITS));
#if ${MERGED}
  let end = SPLITS;
#else
  let end = rows_before(SPLITS);
#endif
#endif
  let channel = i % CHANNELS;

  // From the first row, which is as far from 0 as the mean is.
  let shift = mean_of(begin, channel);
  var total = V();
  for (var at = begin + lane; at < end; at += LONG * 64) {
    var sum = V();
    for (var k = at; k < min(end, at + LONG * 64); k += 64) {
      let rows = count_of(k);
      sum += select(V(), rows * (mean_of(k, channel) - shift), rows > 0);
    }
    total += sum;
  }
  let middle = shift + joined(lane, total) / count;

  var beside = V();
  var squares = V();
  for (var at = begin + lane; at < end; at += LONG * 64) {
    var sum = V();
    var square = V();
    for (var k = at; k < min(end, at + LONG * 64); k += 64) {
      let rows = count_of(k);
      let d = mean_of(k, channel) - middle;
      sum += select(V(), rows * d, rows > 0);
      square += select(V(), rows * d * d + squares_of(k, channel), rows > 0);
    }
    beside += sum;
    squares += square;
  }
  // What rounding has left between the mean and where it was taken.
  let left = joined(lane, beside) / count;
  let spread = joined(lane, squares) - count * left * left;
  if (lane != 0) { return; }
#if ${SPLIT}
  let part = i / CHANNELS;
  parts[2 * part * CHANNELS + channel] = middle + left;
  parts[(2 * part + 1) * CHANNELS + channel] = spread;
#else
  mean[i] = middle + left;
  inverse[i] = 1 / sqrt(spread / count + EPS);
  nextMean[i] = MOMENTUM * movingMean[i] + REST * (middle + left);
  nextVariance[i] = MOMENTUM * movingVariance[i] + REST * (spread / max(1, count - LESS));
#endif
}
