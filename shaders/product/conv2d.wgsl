// Y[b, oy, ox, f] = sum over ky, kx, c of X[b, iy, ix, c] W[ky, kx, c, f] with iy = oy * stride + ky * dilation - pad, ix likewise, and
// the gradient dW[ky, kx, c, f] = sum over b, oy, ox of X[b, iy, ix, c] dY[b, oy, ox, f]; c and f are those of one group.
// Implicit matrix products: A is X under the windows, a line for each output position, an entry for each (ky, kx, c). Y = A W,
// and dW = A^T dY (TRANSPOSE_A), whose column sum is the gradient of the bias.

// Where the window of an output position begins: its first number, top and left edge; far outside beyond the last image.
fn spot_at(origin: u32, position: u32) -> Spot {
  let image = position / (OUT_HEIGHT * OUT_WIDTH);
  let top = i32(position / OUT_WIDTH % OUT_HEIGHT * STRIDE_HEIGHT) - i32(PAD_TOP);
  let left = i32(position % OUT_WIDTH * STRIDE_WIDTH) - i32(PAD_LEFT);
  let first = ((i32(image * HEIGHT) + top) * i32(WIDTH) + left) * i32(GROUPS * CHANNELS) + i32(origin);
  return vec3i(first, select(top, -65536, image >= BATCH), left);
}

// X under tap j / C of a window, at channel j % C. A negative edge is a large u32. The conditions are joined by `&`: with `&&`
// each call becomes a tree of branches, and compiling takes minutes on a CPU.
fn place_a(window: Spot, j: u32) -> Place {
  let tap = j / CHANNELS;
  let y = tap / KERNEL_WIDTH * DILATION_HEIGHT;
  let x = tap % KERNEL_WIDTH * DILATION_WIDTH;
  let inside = (u32(window.y) + y < HEIGHT) & (u32(window.z) + x < WIDTH) & (tap < KERNEL_HEIGHT * KERNEL_WIDTH);
  return Place(u32(window.x) + (y * WIDTH + x) * (GROUPS * CHANNELS) + j % CHANNELS, inside);
}
