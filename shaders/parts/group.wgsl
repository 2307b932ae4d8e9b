// Numbers that are normalized together, a group of COUNT, and what they are normalized by; THREADS threads share a group. Rows and
// channels are those of groups: number k of a group stands at term_at(k), and its channel is channel_of(k). V are LANES neighbours of it,
// four where the channels of a group come in fours.
const THREADS = ${THREADS}u;
const LANES = ${LANES}u;
const STEP = THREADS * LANES;  // numbers from what a thread takes to what it takes next
const PART = 256 * STEP;  // numbers of a part of a sum
${JOINED}

override GROUPS: u32;  // of the whole batch
override COUNT: u32;
override PER_SAMPLE: u32;  // groups that the channels are parted into
override CHANNELS: u32;  // of a group
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<V>;

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

#if ${VECTOR}
fn first_lane(value: V) -> f32 { return value.x; }
fn sum_of_lanes(value: V) -> f32 { return value.x + value.y + value.z + value.w; }
fn ask(value: V) { check(value); }
#else
fn first_lane(value: V) -> f32 { return value; }
fn sum_of_lanes(value: V) -> f32 { return value; }
fn ask(value: V) { check_one(value); }
#endif

// The mean over a group of what THREADS threads have sums of, for all of them.
fn mean_of(lane: u32, sum: V) -> f32 {
#if ${SHARED}
  return sum_of_lanes(joined(lane, sum)) / f32(COUNT);
#else
  return sum_of_lanes(sum) / f32(COUNT);
#endif
}

// The sum of X less `shift`, over every STEPth number from `begin` on.
fn total_of(first: u32, shift: f32, begin: u32, end: u32) -> V {
  var total = V();
  for (var k = begin; k < end; k += STEP) { total += x[(first + term_at(k)) / LANES] - shift; }
  return total;
}

// A number near the mean of a group: its mean, but for rounding. Without MEAN 0.
fn middle_of(lane: u32, first: u32, thread: u32) -> f32 {
  if (!${MEAN}) { return 0; }
  let shift = first_lane(x[first / LANES]);
#if ${LONG}
  // In parts, for a long sum of equal numbers loses digits.
  var total = V();
  for (var at = thread; at < COUNT; at += PART) { total += total_of(first, shift, at, min(COUNT, at + PART)); }
#else
  let total = total_of(first, shift, thread, COUNT);
#endif
  return shift + mean_of(lane, total);
}

// What else the kernel adds up of a group, `Sums`: of X less that number the totals and squares, and what it likes.
fn all_sums(i: u32, first: u32, middle: f32, thread: u32) -> Sums {
#if ${LONG}
  var sums = Sums();
  for (var at = thread; at < COUNT; at += PART) { sums = plus(sums, sums_of(i, first, middle, at, min(COUNT, at + PART))); }
  return sums;
#else
  return sums_of(i, first, middle, thread, COUNT);
#endif
}

// Mean and 1 / sqrt(variance + EPS) of a group, by sums from a number near its mean, so that one far from 0 costs no digits. Without MEAN
// it is 0, and the other 1 / sqrt(mean of squares + EPS).
fn normal_of(lane: u32, middle: f32, sums: Sums) -> vec2f {
  // What rounding has left between the mean and where it was taken.
  let left = select(0, mean_of(lane, sums.totals), ${MEAN});
  return vec2f(middle + left, 1 / sqrt(mean_of(lane, sums.squares) - left * left + EPS));
}
