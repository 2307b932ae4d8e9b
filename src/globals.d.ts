// Texts that come into the program as they are, the one package without types, and names of the language that not every compiler knows.

declare module "*.wgsl?raw" {
  const text: string;
  export default text;
}

declare module "wgsl-preprocessor/wgsl-preprocessor.js" {
  export function wgsl(strings: readonly string[], ...values: readonly (string | number | boolean)[]): string;
}

/** What `using` and `await using` call at the end of a block. Where a runtime has none, whoever calls `dispose` misses nothing. */
interface SymbolConstructor {
  readonly dispose: unique symbol;
  readonly asyncDispose: unique symbol;
}
