// dX[b, iy, ix, c] = sum over ky, kx, f of dY[b, oy, ox, f] W[ky, kx, c, f] with oy = (iy + pad - ky * dilation) / stride, ox likewise,
// over the taps for which both quotients are whole and inside dY; c and f are those of one group.
// An implicit matrix product: A is dY under the taps, a line for each input position, an entry for each (ky, kx, f).

// Input position m: the first number of dY's image, and the position counted with the padding.
fn spot_at(origin: u32, m: u32) -> Spot {
  let image = m / (HEIGHT * WIDTH);
  let first = image * (OUT_HEIGHT * OUT_WIDTH * GROUPS * FILTERS) + origin;
  return vec3i(vec3u(first, m / WIDTH % HEIGHT + PAD_TOP, m % WIDTH + PAD_LEFT));
}

// dY where tap k / F of its window lies on a position, at filter k % F. Joined by `&`, as in conv2d.wgsl.
fn place_a(position: Spot, k: u32) -> Place {
  let tap = k / FILTERS;
  let ty = position.y - i32(tap / KERNEL_WIDTH * DILATION_HEIGHT);
  let tx = position.z - i32(tap % KERNEL_WIDTH * DILATION_WIDTH);
  let oy = ty / i32(STRIDE_HEIGHT);
  let ox = tx / i32(STRIDE_WIDTH);
  let whole = (oy * i32(STRIDE_HEIGHT) == ty) & (ox * i32(STRIDE_WIDTH) == tx);
  let inside = whole & (u32(ty) < OUT_HEIGHT * STRIDE_HEIGHT) & (u32(tx) < OUT_WIDTH * STRIDE_WIDTH)
    & (tap < KERNEL_HEIGHT * KERNEL_WIDTH);
  return Place(u32(position.x + (oy * i32(OUT_WIDTH) + ox) * i32(GROUPS * FILTERS)) + k % FILTERS, inside);
}

// W[ky, kx, c, f] for k = (ky, kx, f) and n = c.
fn place_b(origin: u32, k: u32, n: u32) -> u32 {
  return origin + (k / FILTERS * CHANNELS + n) * (GROUPS * FILTERS) + k % FILTERS;
}
