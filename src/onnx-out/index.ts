// gradus/onnx-out: trained models as ONNX files. A door of its own beside gradus/onnx, since a page that serves reads, and one that
// trains writes.

export { type ToOnnxOptions, toOnnx } from "./to-onnx.ts";
