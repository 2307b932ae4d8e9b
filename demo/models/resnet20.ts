// ResNet-20 for 32 x 32 images as He et al. (2015) had it: where the shape changes the bypass leaves out every other place and adds
// channels of zeros, which has no weights. Names are those of github.com/akamaster/pytorch_resnet_cifar10, so its files fit.

import {
  batchNorm,
  conv2d,
  dense,
  functional,
  globalAveragePool2d,
  type Layer,
  ops,
  relu,
  sequential,
} from "../../src/index.ts";

const convolution = (filters: number, stride = 1): Layer => conv2d(filters, { stride, padding: 1, bias: false });

const block = (filters: number, stride: number): Layer =>
  functional((x, { use, add, scope }) => {
    const first = use("bn1", batchNorm(), use("conv1", convolution(filters, stride), x));
    const second = use("bn2", batchNorm(), use("conv2", convolution(filters), use("relu1", relu(), first)));
    if (stride === 1) return use("relu2", relu(), add(second, x));
    const half = scope.op(ops.slice, { x }, { stride: [1, stride, stride] }).y;
    const zeros = [0, 0, 0, filters / 4];
    const around = scope.op(ops.pad, { x: half }, { before: zeros, after: zeros }).y;
    return use("relu2", relu(), add(second, around));
  });

const stage = (filters: number, blocks: number, stride: number): Layer =>
  sequential(Array.from({ length: blocks }, (_, i) => block(filters, i === 0 ? stride : 1)));

/** [32, 32, 3] -> logits. */
export const resnet20 = (classes = 10, filters = 16, blocks = 3): Layer =>
  sequential({
    conv1: convolution(filters),
    bn1: batchNorm(),
    relu: relu(),
    layer1: stage(filters, blocks, 1),
    layer2: stage(2 * filters, blocks, 2),
    layer3: stage(4 * filters, blocks, 2),
    pool: globalAveragePool2d(),
    linear: dense(classes),
  });
