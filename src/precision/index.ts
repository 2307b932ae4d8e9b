// The door of gradus/precision: steps of less than f32.

export { type F16, type F16Options, f16 } from "./f16.ts";
