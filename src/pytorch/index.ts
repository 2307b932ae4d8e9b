// gradus/pytorch: state dicts of PyTorch, and their weights in models of Gradus.

export type { FileTensor } from "./file-tensor.ts";
export {
  type FromPyTorch,
  type FromPyTorchOptions,
  fromPyTorch,
  type PlainValue,
  type PyTorchReport,
} from "./from-pytorch.ts";
export {
  type LoadedOptimizer,
  type LoadOptimizerOptions,
  loadOptimizer,
  type OptimizerGroup,
  type OptimizerTarget,
} from "./load-optimizer.ts";
export { type LoadReport, type LoadTarget, type LoadWeightsOptions, loadWeights } from "./load-weights.ts";
export type { Rename } from "./rename.ts";
export { type ToPyTorch, type ToPyTorchOptions, type ToPyTorchReport, toPyTorch } from "./to-pytorch.ts";
