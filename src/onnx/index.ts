// gradus/onnx: ONNX files as models that train.

export { type FromOnnx, fromOnnx, type OnnxOptions } from "./from-onnx.ts";
export type { External } from "./host.ts";
export type { OnnxReport, OnnxTensor } from "./report.ts";
