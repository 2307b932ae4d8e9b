// Y = X with each pair of numbers of a head turned by its place in the sequence times the speed of the pair: pairs are neighbours
// (INTERLEAVED), or a number of the first half and one of the second. Speeds are turns in 44 bits, so that a place times a speed is the
// exact angle, and whole turns fall off at the end of a word. A thread for each pair.
const SPEEDS = array<vec2u, ${PAIRS}>(${SPEEDS});  // upper 32 bits, lower 12 bits

override THREADS: u32;
override LENGTH: u32;  // of the sequence
override HEADS: u32;   // at each place
override INTERLEAVED: bool;
override REVERSE: bool;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [B, LENGTH, HEADS, 2 PAIRS]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [B, LENGTH, HEADS, 2 PAIRS]

// Cosine and sine of an angle in turns of 2^32: Taylor's series on an eighth of a turn to either side of the nearest quarter.
fn direction(turns: u32) -> vec2f {
  let quarter = (turns + 0x20000000) >> 30;
  let r = f32(bitcast<i32>(turns - (quarter << 30))) * 1.4629180792671596e-9;
  let q = r * r;
  let sine = fma(r * q, fma(q, fma(q, fma(q, 1.0 / 362880, -1.0 / 5040), 1.0 / 120), -1.0 / 6), r);
  let cosine = fma(q, fma(q, fma(q, fma(q, 1.0 / 40320, -1.0 / 720), 1.0 / 24), -0.5), 1.0);
  let turned = select(vec2f(cosine, sine), vec2f(-sine, cosine), (quarter & 1) == 1);
  return select(turned, -turned, (quarter & 2) == 2);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = id.y * groups.x * 64 + id.x;
  if (thread >= THREADS) { return; }
  var speeds = SPEEDS;
  let pair = thread % ${PAIRS};
  let head = thread / ${PAIRS};
  let place = head / HEADS % LENGTH;
  let speed = speeds[pair];
  var way = direction(place * speed.x + ((place * speed.y) >> 12));
  way.y = select(way.y, -way.y, REVERSE);
  let at = head * (2 * ${PAIRS}) + select(pair, 2 * pair, INTERLEAVED);
  let to = at + select(u32(${PAIRS}), 1, INTERLEAVED);
  let a = x[at];
  let b = x[to];
  y[at] = fma(a, way.x, -b * way.y);
  y[to] = fma(b, way.x, a * way.y);
}
