// A network that hears whether somebody speaks, silero-vad of 16 kHz, under the names of its file: sizes of frequencies, four convolutions and
// an LSTM that goes from block to block. A block of a recording is a row of an image here, so all blocks go through one convolution.

import { conv2d, dense, functional, type Layer, lstm, ops, relu, reshape, sequential } from "../../src/index.ts";

/** Samples of a block with what belongs to it: 64 before it, its 512, and 64 mirrored behind. */
export const BLOCK = 640;
const FREQUENCIES = 129;

/** Real parts and imaginary ones behind them -> how large each frequency is. */
const magnitude: Layer = functional((x, { scope, add }) => {
  const squares = [0, 1].map((i) => {
    const [begin, end] = [i * FREQUENCIES, (i + 1) * FREQUENCIES];
    const { y } = scope.op(ops.slice, { x }, { begin: [0, 0, 0, begin], end: [Infinity, Infinity, Infinity, end] });
    return scope.op(ops.square, { x: y }).z;
  }) as [Parameters<typeof add>[0], Parameters<typeof add>[0]];
  return scope.op(ops.sqrt, { x: add(...squares) }).z;
});

const along = (filters: number, stride = 1): Layer =>
  conv2d(filters, {
    kernel: [1, 3],
    stride: [1, stride],
    padding: [
      [0, 0],
      [1, 1],
    ],
  });

/** Blocks [T, 640, 1] of a recording -> logits of speech, [T, 1]. What stands before it may be silent: train it with `stft_conv` frozen. */
export const sileroVad = (blocks: number): Layer =>
  sequential({
    stft_conv: conv2d(2 * FREQUENCIES, { kernel: [1, 256], stride: [1, 128], padding: "valid", bias: false }),
    magnitude,
    conv1: along(128),
    relu1: relu(),
    conv2: along(64, 2),
    relu2: relu(),
    conv3: along(64, 2),
    relu3: relu(),
    conv4: along(128),
    relu4: relu(),
    blocks: reshape([blocks, 128]),
    lstm_cell: lstm(128, { returnSequences: true }),
    relu5: relu(),
    final_conv: dense(1),
  });
