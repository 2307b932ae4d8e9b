// Names for what `using` and `await using` call at the end of a block, also for compilers and runtimes that do not know them: where a runtime has
// none, whoever calls `dispose` misses nothing.

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

export {};
