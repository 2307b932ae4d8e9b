// Y[b, oy, ox, f] = sum over ky, kx, c of X[b, oy * stride + ky - pad, ox * stride + kx - pad, c] W[ky, kx, c, f], and the gradient
// dW[ky, kx, c, f] = sum over b, oy, ox of X[b, oy * stride + ky - pad, ox * stride + kx - pad, c] dY[b, oy, ox, f].
// Implicit matrix products: A is X under the windows, a line for each output position, an entry for each (ky, kx, c). Y = A W,
// and dW = A^T dY (TRANSPOSE_A), whose column sum is the gradient of the bias.

// Where the window of an output position begins: first row of its image, top and left edge; far outside beyond the last.
fn spot_at(position: u32) -> Spot {
  let image = position / (OUT_HEIGHT * OUT_WIDTH);
  let oy = position / OUT_WIDTH % OUT_HEIGHT;
  let ox = position % OUT_WIDTH;
  let edge = vec3i(vec3u(image * HEIGHT, oy * STRIDE_HEIGHT, ox * STRIDE_WIDTH)) - vec3i(0, i32(PAD_TOP), i32(PAD_LEFT));
  return select(edge, vec3i(0, -65536, 0), image >= BATCH);
}

// X under tap j / C of a window, at channel j % C. A negative edge is a large u32. The conditions are joined by `&`: with `&&`
// each call becomes a tree of branches, and compiling takes minutes on a CPU.
fn place_a(window: Spot, j: u32) -> Place {
  let tap = j / CHANNELS;
  let iy = window.y + i32(tap / KERNEL_WIDTH);
  let ix = window.z + i32(tap % KERNEL_WIDTH);
  let inside = (u32(iy) < HEIGHT) & (u32(ix) < WIDTH) & (tap < KERNEL_HEIGHT * KERNEL_WIDTH);
  return Place(u32((window.x + iy) * i32(WIDTH) + ix) * CHANNELS + j % CHANNELS, inside);
}
