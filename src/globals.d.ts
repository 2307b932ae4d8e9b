// Texts that come into the program as they are, and the one package without types.

declare module "*.wgsl?raw" {
  const text: string;
  export default text;
}

declare module "wgsl-preprocessor/wgsl-preprocessor.js" {
  export function wgsl(strings: readonly string[], ...values: readonly (string | number | boolean)[]): string;
}
