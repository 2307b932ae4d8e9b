// Y[b, oy, ox, f] = sum over ky, kx, c of X[b, iy, ix, c] W[ky, kx, c, f] with iy = oy * stride + ky * dilation - pad, ix likewise, and
// both gradients: dW[ky, kx, c, f] = sum over b, oy, ox of X[b, iy, ix, c] dY[b, oy, ox, f], and dX, which is the sum over ky, kx, f of
// dY[b, oy, ox, f] W[ky, kx, c, f] with oy = (iy + pad - ky * dilation) / stride; all of one group.
// Implicit matrix products: A is images under windows, a line for each (b, oy, ox), an entry for each (ky, kx, c). Y = A W, and dW = A^T
// dY (TRANSPOSE_A), whose column sum is the gradient of the bias. For dX the images are those of dY, whose taps go backwards. With a
// stride (STRIDED) its lines stand by (iy % stride, ix % stride): a class of pixels meets every so many-th tap, and no other is tried.

// Three digits of a number, the last two below `lengths`, and those of the way to what the thread takes next. Of taps, on both axes: the
// first of the line in W, how many it has, where the first one lies beside the line's place, and from one to the next in W.
struct Walk { at: vec3u, step: vec3u, lengths: vec2u, y: vec4i, x: vec4i }

fn digits_of(number: u32, lengths: vec2u) -> vec3u {
  return vec3u(number / (lengths.x * lengths.y), number / lengths.y % lengths.x, number % lengths.y);
}

fn walk_of(number: u32, lengths: vec2u, y: vec4i, x: vec4i) -> Walk {
  return Walk(digits_of(number, lengths), digits_of(STEP, lengths), lengths, y, x);
}

fn line_at(m: u32) -> Walk { return walk_of(${LINE_OF}, vec2u(OUT_HEIGHT, OUT_WIDTH), vec4i(), vec4i()); }

fn tap_at(m: u32, j: u32) -> Walk {
#if ${STRIDED}
  var ys = array(${TAPS_Y});
  var xs = array(${TAPS_X});
  let y = ys[m / ROWS / STEP_WIDTH];
  let x = xs[m / ROWS % STEP_WIDTH];
#else
  // Number by number: Naga takes no vector of overrides that are turned into others.
  var y = vec4i(0, 0, -PAD_TOP, 1);
  var x = vec4i(0, 0, -PAD_LEFT, 1);
  y.y = i32(KERNEL_HEIGHT);
  x.y = i32(KERNEL_WIDTH);
#endif
  return walk_of(j, vec2u(u32(x.y), CHANNELS), y, x);
}

// A sum of digits, with what is carried over.
fn ahead(k: Walk, by: vec3u) -> Walk {
  let last = k.at.z + by.z;
  let middle = k.at.y + by.y + select(0u, 1, last >= k.lengths.y);
  let at = vec3u(
    k.at.x + by.x + select(0u, 1, middle >= k.lengths.x),
    middle - select(0, k.lengths.x, middle >= k.lengths.x),
    last - select(0, k.lengths.y, last >= k.lengths.y),
  );
  return Walk(at, k.step, k.lengths, k.y, k.x);
}
fn walk_next(k: Walk) -> Walk { return ahead(k, vec3u(0, 0, 1)); }
fn walk_on(k: Walk) -> Walk { return ahead(k, k.step); }
fn terms_of(k: Walk) -> u32 { return u32(k.y.y * k.x.y) * CHANNELS; }
fn is_term(k: Walk) -> bool { return i32(k.at.x) < k.y.y; }

#if ${STRIDED}
override ROWS: u32;  // of a class, a multiple of 8
override STEP_HEIGHT: u32;
override STEP_WIDTH: u32;
override FULL_HEIGHT: u32;
override FULL_WIDTH: u32;

// The pixel of a line; M beyond the images.
fn pixel_of(m: u32) -> u32 {
  let at = line_at(m).at;
  let y = at.y * STEP_HEIGHT + m / ROWS / STEP_WIDTH;
  let x = at.z * STEP_WIDTH + m / ROWS % STEP_WIDTH;
  return select(M, (at.x * FULL_HEIGHT + y) * FULL_WIDTH + x, at.x < BATCH && y < FULL_HEIGHT && x < FULL_WIDTH);
}
#endif

// Where the window of a line lies: its first number, y and x, and the image.
alias Spot = vec4i;

fn spot_at(origin: u32, line: Walk) -> Spot {
  let y = line.at.y * STRIDE_HEIGHT;
  let x = line.at.z * STRIDE_WIDTH;
  return vec4i(vec4u(((line.at.x * HEIGHT + y) * WIDTH + x) * (GROUPS * CHANNELS) + origin, y, x, line.at.x));
}

// What A has under a term, whatever the spot is.
struct Tap { at: i32, y: i32, x: i32, is_term: bool }

fn tap_of(k: Walk) -> Tap {
  let y = k.y.z + i32(k.at.x) * DILATION_HEIGHT;
  let x = k.x.z + i32(k.at.y) * DILATION_WIDTH;
  return Tap((y * i32(WIDTH) + x) * i32(GROUPS * CHANNELS) + i32(k.at.z), y, x, is_term(k));
}

// The conditions are joined by `&`: with `&&` each call becomes a tree of branches, and compiling takes minutes on a CPU.
fn is_inside(spot: Spot, tap: Tap) -> bool {
  return (u32(spot.y + tap.y) < HEIGHT) & (u32(spot.z + tap.x) < WIDTH)
    & (((K % 4 == 0) & (CHANNELS % 4 == 0)) | (tap.is_term & (u32(spot.w) < BATCH)));
}

#if ${VECTOR_A}
alias Taps = Tap;

fn taps_of(k: Walk) -> Taps { return tap_of(k); }

fn line_a(spot: Spot, tap: Taps) -> vec4f {
  let inside = is_inside(spot, tap);
  return select(vec4f(), a[select(0, u32(spot.x + tap.at) / 4, inside)], inside);
}
#else
alias Taps = array<Tap, 4>;

fn taps_of(k: Walk) -> Taps {
  let next = walk_next(k);
  let third = walk_next(next);
  return Taps(tap_of(k), tap_of(next), tap_of(third), tap_of(walk_next(third)));
}

fn element_a(spot: Spot, tap: Tap) -> f32 {
  let inside = is_inside(spot, tap);
  return select(0, a[select(0, u32(spot.x + tap.at), inside)], inside);
}

fn line_a(spot: Spot, taps: Taps) -> vec4f {
  return vec4f(element_a(spot, taps[0]), element_a(spot, taps[1]), element_a(spot, taps[2]), element_a(spot, taps[3]));
}
#endif

// W[ky, kx, n, c] for k = (ky, kx, c), where its stored rows are n's.
fn place_b(origin: u32, k: Walk, n: u32) -> u32 {
  let y = u32(k.y.x) + k.at.x * u32(k.y.w);
  let x = u32(k.x.x) + k.at.y * u32(k.x.w);
  return origin + ((y * KERNEL_WIDTH + x) * FILTERS + n) * (GROUPS * CHANNELS) + k.at.z;
}
