// Images between their pixels. Along each axis the pixel o of the large image stands at (o TIMES + OFFSET) / PER of the small one,
// kept within it, and takes of the two pixels beside it what it is nearer to. All of that in whole numbers, so that it is exact.
// Forward an output takes of four pixels; back a pixel gathers from all outputs that took of it: of the OTHER image those from
// FIRST to LAST.
${EPILOGUE}
${CHECK}
const TIMES = vec2i(${TIMES});
const OFFSET = vec2i(${OFFSET});
const PER = vec2i(${PER});
const SMALL = vec2i(${SMALL});  // height, width
const LARGE = vec2i(${LARGE});

override LENGTH: u32;  // V in Y
override LANES: u32;   // channels, or channels / 4

@group(0) @binding(0) var<storage, read> x: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;  // [B, H, W, C]

// Where an output stands, in parts of a pixel.
fn place_of(output: vec2i) -> vec2i { return clamp(output * TIMES + OFFSET, vec2i(), (SMALL - 1) * PER); }

// What an output takes of a pixel.
fn share(output: vec2i, pixel: vec2i) -> f32 {
  let near = vec2f(max(PER - abs(place_of(output) - pixel * PER), vec2i())) / vec2f(PER);
  return near.x * near.y;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= LENGTH) { return; }
  let lane = i % LANES;
  let own = ${OWN};
  let other = ${OTHER};
  let at = vec2i(vec2u(i / (LANES * u32(own.y)) % u32(own.x), i / LANES % u32(own.y)));
  let image = i32(i / (LANES * u32(own.x * own.y)));
  let first = ${FIRST};
  let last = min(${LAST}, other - 1);
  var sum = V(0);
  for (var row = first.x; row <= last.x; row++) {
    for (var column = first.y; column <= last.y; column++) {
      let that = vec2i(row, column);
      let part = share(${PAIR});
      // What takes nothing takes no NaN either.
      if (part == 0) { continue; }
      sum += part * x[u32((image * other.x + row) * other.y + column) * LANES + lane];
    }
  }
  let value = epilogue(sum, i * ${WIDTH}, lane * ${WIDTH});
  ${ASK}(value);
  settle();
  y[i] = value;
}
