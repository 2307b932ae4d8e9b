// Y = images of X flipped and moved by whole pixels, each as its own numbers say: Y[r, c] = X[p] where p = (r, c) + offset, counted from the
// other end where it is flipped, and FILL where X has no such pixel. Back, where a pixel has gone: the same map the other way round.
override LENGTH: u32;    // numbers in Y
override CHANNELS: u32;
const WHOLE = vec2i(${WHOLE});  // height, width of the images before they were moved
const PART = vec2i(${PART});    // and of what is seen of them
const FLIPS = vec2<bool>(${FLIPS});
const FIRST = vec2i(${FIRST});  // the least offset
const MANY = vec2f(${MANY});    // offsets that there are

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [B, H, W, C]
@group(0) @binding(1) var<storage, read> u: array<f32>;        // [B, 4]: two flips, two offsets, each in [0, 1)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [B, H, W, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= LENGTH) { return; }
  let own = ${OWN};
  let other = ${OTHER};
  let pixel = i / CHANNELS;
  let image = pixel / u32(own.x * own.y);
  let at = vec2i(vec2u(pixel / u32(own.y) % u32(own.x), pixel % u32(own.y)));
  let isFlipped = FLIPS & (vec2f(u[image * 4], u[image * 4 + 1]) < vec2f(0.5));
  let offset = FIRST + vec2i(min(floor(vec2f(u[image * 4 + 2], u[image * 4 + 3]) * MANY), MANY - 1));
#if ${BACK}
  let that = select(at, WHOLE - 1 - at, isFlipped) - offset;
  let isThere = all(that >= vec2i()) & all(that < other);
#else
  let placed = at + offset;
  let that = select(placed, WHOLE - 1 - placed, isFlipped);
  let isThere = all(that >= vec2i()) & all(that < other);
#endif
  var value = f32(${FILL});
  if (isThere) {
    value = x[((image * u32(other.x) + u32(that.x)) * u32(other.y) + u32(that.y)) * CHANNELS + i % CHANNELS];
  }
  y[i] = value;
}
