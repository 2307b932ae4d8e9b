// Y[i] = the largest of the terms that belong to result i, or the smallest (LEAST), then the epilogue; NaN where one of them is. Of a way
// back (GRADIENT) instead dX: what came for the result goes to the first term that is its extreme, and 0 to the others.
${STEP}
${EPILOGUE}
${CHECK}
override RESULTS: u32;
override TERMS: u32;
override COLUMNS: u32;  // length of the last axis of Y

@group(0) @binding(0) var<storage, read> x: array<f32>;
#if ${GRADIENT}
@group(0) @binding(1) var<storage, read> dy: array<f32>;  // [RESULTS]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
#else
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [RESULTS]
#endif

fn first_of(i: u32) -> u32 { return ${RESULT}; }

fn term_at(k: u32) -> u32 { return ${TERM}; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= RESULTS) { return; }
  let first = first_of(i);
  var best = x[first];
  var at = 0u;
  // The first NaN, found by its bits, for compilers may assume that there is none.
  var nan = 0u;
  var nan_at = 0u;
  for (var k = 0u; k < ${COUNT}; k++) {
    let value = x[first + term_at(k)];
#if ${LEAST}
    let beyond = value < best;
#else
    let beyond = value > best;
#endif
    best = select(best, value, beyond);
    at = select(at, k, beyond);
    let found = (bitcast<u32>(value) & 0x7fffffff) > 0x7f800000 && nan == 0;
    nan = select(nan, bitcast<u32>(value), found);
    nan_at = select(nan_at, k, found);
  }
#if ${GRADIENT}
  at = select(at, nan_at, nan != 0);
  let d = dy[i];
  check_one(d);
  settle();
  for (var k = 0u; k < TERMS; k++) { dx[first + term_at(k)] = select(0, d, k == at); }
#else
  let value = epilogue(select(best, bitcast<f32>(nan), nan != 0), i, i % COLUMNS);
  check_one(value);
  settle();
  y[i] = value;
#endif
}
