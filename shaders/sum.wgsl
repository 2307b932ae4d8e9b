// Y[s, i] = sum of the terms of part s that belong to result i, in order and in blocks: a long sum of equal numbers loses digits.
// THREADS threads share a sum, each of which takes every THREADS-th term, and `joined` adds up what they have.
${STEP}
${EPILOGUE}
${CHECK}
${JOINED}
const LONG = 256u;
const THREADS = ${THREADS}u;

override RESULTS: u32;
override TERMS: u32;
override SPLITS: u32;
override COLUMNS: u32;  // length of the last axis of Y

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [SPLITS, RESULTS]

fn first_of(i: u32) -> u32 { return ${RESULT}; }

fn term_at(k: u32) -> u32 { return ${TERM}; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (workgroup.y * groups.x + workgroup.x) * (64 / THREADS) + lane / THREADS;
  let thread = lane % THREADS;
  let is_there = i < SPLITS * RESULTS;
  let terms = ${COUNT};
  let height = (terms + SPLITS - 1) / SPLITS;
  let begin = i / RESULTS * height;
  let end = select(begin, min(terms, begin + height), is_there);
  let first = first_of(i % RESULTS);
  var total = 0.0;
  for (var at = begin + thread; at < end; at += LONG * THREADS) {
    var sum = 0.0;
    for (var k = at; k < min(end, at + LONG * THREADS); k += THREADS) { sum += x[first + term_at(k)]; }
    total += sum;
  }
  total = joined(lane, total);
  if (!is_there || thread != 0) { return; }
  let value = epilogue(${VALUE}, i, i % COLUMNS);
  check_one(value);
  settle();
  y[i] = value;
}
