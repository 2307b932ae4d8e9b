// Y: a part of a picture, resized along one axis: ACROSS its rows, then down the columns of what that gave. Each pixel of Y is the mean of those around
// its place, the nearer the more: by a triangle of WIDE pixels to each side, which is bilinear (align_corners=false) where WIDE is 1, and with
// antialias as many as a pixel of Y covers, as PyTorch's. Grid: a thread a pixel of Y.
const SIZE = vec2u(${SIZE});  // width, height in the end

struct Place {
  first: vec2u,       // of the part
  part: vec2u,        // its width, height
  wide: vec2f,        // pixels to each side, at least 1
  stride: u32,        // pixels from one row to the next
  start: u32,         // of the sample
  background: vec3f,  // what is seen through what is transparent
}

@group(0) @binding(0) var<uniform> place: Place;
#if ${ACROSS}
@group(0) @binding(1) var<storage, read> pixels: array<u32>;  // [height, stride]: red, green, blue, alpha
#else
@group(0) @binding(1) var<storage, read> pixels: array<vec4f>;  // [part.y, SIZE.x]
#endif
@group(0) @binding(2) var<storage, read_write> resized: array<vec4f>;  // [part.y or SIZE.y, SIZE.x], each number from 0 to 255

#if ${ACROSS}
const AXIS = 0;

fn pixel(row: u32, x: u32) -> vec4f {
  let word = pixels[(place.first.y + row) * place.stride + place.first.x + x];
  let rgba = vec4f((vec4u(word) >> vec4u(0, 8, 16, 24)) & vec4u(255));
#if ${SEEN_THROUGH}
  return rgba;
#else
  return select(vec4f((rgba.rgb * rgba.a + place.background * (255 - rgba.a)) / 255, 255), rgba, rgba.a == 255);
#endif
}
#else
const AXIS = 1;

fn pixel(column: u32, y: u32) -> vec4f {
  return pixels[y * SIZE.x + column];
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  let at = vec2u(i % SIZE.x, i / SIZE.x);
  if (at.y >= select(SIZE.y, place.part.y, AXIS == 0)) { return; }
  let last = place.part[AXIS] - 1;
  // Its middle as a whole number of pixels and what is over, so that large pictures lose no digits.
  let twice = (2 * at[AXIS] + 1) * (last + 1);
  let middle = twice / (2 * SIZE[AXIS]);
  let over = f32(twice % (2 * SIZE[AXIS])) / f32(2 * SIZE[AXIS]);
  let wide = place.wide[AXIS];
  let far = u32(ceil(wide));
  var sum = vec4f();
  var weights = 0f;
  for (var p = middle - min(middle, far); p <= min(middle + far, last); p++) {
    let weight = max(0, 1 - abs(f32(i32(p - middle)) + 0.5 - over) / wide);
    sum += weight * pixel(at[1 - AXIS], p);
    weights += weight;
  }
  resized[i] = sum / weights;
}
