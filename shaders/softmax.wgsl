// Y[r, c] = exp(X[r, c] - max) / sum of these, or its logarithm (LOG), along the last axis, then the epilogue. A number that is NaN
// makes a row of NaN. Of a way back (GRADIENT) dX = Y (dY - sum of dY Y), or with LOG dX = dY - exp(Y) sum of dY. A thread for each row,
// or a workgroup (SHARED).
${EPILOGUE}
${CHECK}
const LONG = 256u;  // terms of a part of a sum, which would lose digits if it were one
#if ${SHARED}
${JOINED}
const THREADS = 64u;  // that share a row
#else
const THREADS = 1u;
#endif

override ROWS: u32;
override COLUMNS: u32;

#if ${GRADIENT}
@group(0) @binding(0) var<storage, read> y: array<f32>;  // [ROWS, COLUMNS]
@group(0) @binding(1) var<storage, read> dy: array<f32>;  // [ROWS, COLUMNS]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [ROWS, COLUMNS]
#else
@group(0) @binding(0) var<storage, read> x: array<f32>;  // [ROWS, COLUMNS]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [ROWS, COLUMNS]
#endif

#if ${SHARED}
fn sum_of(lane: u32, value: f32) -> f32 { return joined(lane, value); }

// The largest of all threads; what is NaN is found by the sum.
fn top_of(lane: u32, value: f32) -> f32 {
  sums[lane] = value;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] = max(sums[lane], sums[lane + width]); }
  }
  workgroupBarrier();
  let top = sums[0];
  workgroupBarrier();
  return top;
}
#else
fn sum_of(lane: u32, value: f32) -> f32 { return value; }

fn top_of(lane: u32, value: f32) -> f32 { return value; }
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.y * groups.x + workgroup.x;
#if ${SHARED}
  let row = group;
#else
  let row = group * 64 + lane;
#endif
  if (row >= ROWS) { return; }
  let begin = row * COLUMNS + lane % THREADS;
  let end = (row + 1) * COLUMNS;
#if ${GRADIENT}
  var total = 0.0;
  for (var start = begin; start < end; start += LONG * THREADS) {
    var sum = 0.0;
    for (var i = start; i < min(end, start + LONG * THREADS); i += THREADS) {
#if ${LOG}
      sum += dy[i];
#else
      sum += dy[i] * y[i];
#endif
    }
    total += sum;
  }
  total = sum_of(lane, total);
  for (var i = begin; i < end; i += THREADS) {
#if ${LOG}
    let value = dy[i] - exp(y[i]) * total;
#else
    let value = y[i] * (dy[i] - total);
#endif
    let result = epilogue(value, i, i % COLUMNS);
    check_one(result);
    dx[i] = result;
  }
#else
  var top = x[row * COLUMNS + lane % THREADS % COLUMNS];
  for (var i = begin; i < end; i += THREADS) { top = max(top, x[i]); }
  top = top_of(lane, top);
  var total = 0.0;
  var nans = 0.0;
  for (var start = begin; start < end; start += LONG * THREADS) {
    var sum = 0.0;
    for (var i = start; i < min(end, start + LONG * THREADS); i += THREADS) {
      sum += exp(x[i] - top);
      // Asked by bits: exp and comparisons may lose it.
      nans += select(0.0, 1.0, (bitcast<u32>(x[i]) & 0x7fffffff) > 0x7f800000);
    }
    total += sum;
  }
  total = sum_of(lane, total);
  let lost = sum_of(lane, nans) > 0;
  for (var i = begin; i < end; i += THREADS) {
#if ${LOG}
    let value = x[i] - top - log(total);
#else
    let value = exp(x[i] - top) / total;
#endif
    let result = epilogue(select(value, bitcast<f32>(select(0u, 0x7fc00000u, lost)), lost), i, i % COLUMNS);
    check_one(result);
    y[i] = result;
  }
#endif
  settle();
}
