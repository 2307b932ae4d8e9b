// Numbers that are normalized together, a group of COUNT, and what they are normalized by; THREADS threads share a group. Rows and
// channels are those of groups: number k of a group stands at term_at(k), and its channel is channel_of(k).
const LONG = 256u;  // terms of a part of a sum, which would lose digits if it were one
const THREADS = ${THREADS}u;
${JOINED}

override GROUPS: u32;  // of the whole batch
override COUNT: u32;
override PER_SAMPLE: u32;  // groups that the channels are parted into
override CHANNELS: u32;  // of a group
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;

fn first_of(i: u32) -> u32 { return ${RESULT}; }

fn term_at(k: u32) -> u32 { return ${TERM}; }

fn channel_of(i: u32, k: u32) -> u32 { return ${CHANNEL}; }

// Which group a thread works on.
fn group_of(workgroup: u32, lane: u32) -> u32 {
#if ${SHARED}
  return workgroup;
#else
  return workgroup * 64 + lane;
#endif
}

// The sum of what THREADS threads have, for all of them.
fn shared_sum(lane: u32, value: f32) -> f32 {
#if ${SHARED}
  return joined(lane, value);
#else
  return value;
#endif
}

// Mean and 1 / sqrt(variance + EPS) of a group, twice over it: the second time from the mean, so that one far from 0 costs no digits.
// Without MEAN it is 0, and the other 1 / sqrt(mean of squares + EPS).
fn measured(lane: u32, first: u32) -> vec2f {
  let thread = lane % THREADS;
  let shift = select(0, x[first], ${MEAN});
  var middle = 0.0;
  if (${MEAN}) {
    var total = 0.0;
    for (var at = thread; at < COUNT; at += LONG * THREADS) {
      var sum = 0.0;
      for (var k = at; k < min(COUNT, at + LONG * THREADS); k += THREADS) { sum += x[first + term_at(k)] - shift; }
      total += sum;
    }
    middle = shift + shared_sum(lane, total) / f32(COUNT);
  }
  var squares = 0.0;
  var beside = 0.0;
  for (var at = thread; at < COUNT; at += LONG * THREADS) {
    var square = 0.0;
    var sum = 0.0;
    for (var k = at; k < min(COUNT, at + LONG * THREADS); k += THREADS) {
      let d = x[first + term_at(k)] - middle;
      square += d * d;
      sum += d;
    }
    squares += square;
    beside += sum;
  }
  let spread = shared_sum(lane, squares) / f32(COUNT);
  // What rounding has left between the mean and where it was taken.
  let left = select(0, shared_sum(lane, beside) / f32(COUNT), ${MEAN});
  return vec2f(middle + left, 1 / sqrt(spread - left * left + EPS));
}
