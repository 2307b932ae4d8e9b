// Y[b, oy, ox, f] = sum over ky, kx, c of X[b, iy, ix, c] W[ky, kx, c, f] with iy = oy * stride + ky * dilation - pad, ix likewise, and
// the gradient dW[ky, kx, c, f] = sum over b, oy, ox of X[b, iy, ix, c] dY[b, oy, ox, f]; c and f are those of one group.
// Implicit matrix products: A is X under the windows, a line for each output position, an entry for each (ky, kx, c). Y = A W,
// and dW = A^T dY (TRANSPOSE_A), whose column sum is the gradient of the bias.

// Where the window of an output position begins: first row of its image, top and left edge; far outside beyond the last.
fn spot_at(origin: u32, position: u32) -> Spot {
  let image = position / (OUT_HEIGHT * OUT_WIDTH);
  let top = position / OUT_WIDTH % OUT_HEIGHT * STRIDE_HEIGHT;
  let left = position % OUT_WIDTH * STRIDE_WIDTH;
  let edge = vec4i(vec4u(image * HEIGHT, top, left, origin)) - vec4i(vec4u(0, PAD_TOP, PAD_LEFT, 0));
  return select(edge, vec4i(0, -65536, 0, 0), image >= BATCH);
}

// X under tap j / C of a window, at channel j % C. A negative edge is a large u32. The conditions are joined by `&`: with `&&`
// each call becomes a tree of branches, and compiling takes minutes on a CPU.
fn place_a(window: Spot, j: u32) -> Place {
  let tap = j / CHANNELS;
  let iy = window.y + i32(tap / KERNEL_WIDTH * DILATION_HEIGHT);
  let ix = window.z + i32(tap % KERNEL_WIDTH * DILATION_WIDTH);
  let inside = (u32(iy) < HEIGHT) & (u32(ix) < WIDTH) & (tap < KERNEL_HEIGHT * KERNEL_WIDTH);
  return Place(u32((window.x + iy) * i32(WIDTH) + ix) * (GROUPS * CHANNELS) + u32(window.w) + j % CHANNELS, inside);
}
