// Y = images of X with a hole in each, FILL in it: its middle is a pixel that the image's own numbers say, so that it may hang over the border.
override LENGTH: u32;    // numbers in Y
override CHANNELS: u32;
const WHOLE = vec2i(${WHOLE});  // height, width
const HOLE = vec2i(${HOLE});

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [B, H, W, C]
@group(0) @binding(1) var<storage, read> u: array<f32>;        // [B, 2], in [0, 1)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [B, H, W, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= LENGTH) { return; }
  let pixel = i / CHANNELS;
  let image = pixel / u32(WHOLE.x * WHOLE.y);
  let at = vec2i(vec2u(pixel / u32(WHOLE.y) % u32(WHOLE.x), pixel % u32(WHOLE.y)));
  let middle = vec2i(min(floor(vec2f(u[image * 2], u[image * 2 + 1]) * vec2f(WHOLE)), vec2f(WHOLE - 1)));
  let inside = at - middle + HOLE / 2;
  y[i] = select(x[i], f32(${FILL}), all(inside >= vec2i()) & all(inside < HOLE));
}
