// What poolings of images [B, H, W, C] share: a thread for each position and each channel, or four channels (VECTOR).
${EPILOGUE}
${CHECK}

override PAD_TOP: u32;
override PAD_LEFT: u32;
override LANES: u32;  // channels, or channels / 4

// Lane, column, row and image of a thread's number.
fn place(i: u32, width: u32, height: u32) -> vec4u {
  return vec4u(i % LANES, i / LANES % width, i / (LANES * width) % height, i / (LANES * width * height));
}

// The rows of the image from x to below y that the windows at `oy` see; the same for columns.
fn rows_seen(oy: u32) -> vec2u {
  let top = oy * STRIDE_HEIGHT;
  return vec2u(max(top, PAD_TOP) - PAD_TOP, min(top + KERNEL_HEIGHT - PAD_TOP, HEIGHT));
}
fn columns_seen(ox: u32) -> vec2u {
  let left = ox * STRIDE_WIDTH;
  return vec2u(max(left, PAD_LEFT) - PAD_LEFT, min(left + KERNEL_WIDTH - PAD_LEFT, WIDTH));
}

// The rows of the output from x to below y whose windows see row `iy`; the same for columns.
fn rows_seeing(iy: u32) -> vec2u {
  let y = iy + PAD_TOP;
  return vec2u((max(y + STRIDE_HEIGHT, KERNEL_HEIGHT) - KERNEL_HEIGHT) / STRIDE_HEIGHT, min(y / STRIDE_HEIGHT + 1, OUT_HEIGHT));
}
fn columns_seeing(ix: u32) -> vec2u {
  let x = ix + PAD_LEFT;
  return vec2u((max(x + STRIDE_WIDTH, KERNEL_WIDTH) - KERNEL_WIDTH) / STRIDE_WIDTH, min(x / STRIDE_WIDTH + 1, OUT_WIDTH));
}

// What thread i stores: its value after the epilogue, asked where it is a gradient.
fn ended(value: V, i: u32) -> V {
#if ${VECTOR}
  let result = epilogue(value, i * 4, i % LANES * 4);
  check(result);
#else
  let result = epilogue(value, i, i % LANES);
  check_one(result);
#endif
  settle();
  return result;
}
