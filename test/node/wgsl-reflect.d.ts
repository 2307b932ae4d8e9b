// The parser's module for bundlers; its types are those of the package.

declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export { WgslReflect } from "wgsl_reflect";
}
