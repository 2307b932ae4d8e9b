// What tests ask of the place in which they run: to hear of promises that nobody caught. Deno tells it as a page does, Node by another name.

type Listener = (event: { readonly reason: unknown; preventDefault(): void }) => void;

/** Gives a runtime without pages the listeners of one, for this event alone. Deno's `process` listens by its own, which stay. */
export function provideEvents(): void {
  if (globalThis.window !== undefined) return;
  Object.assign(globalThis, { window: globalThis });
  if ("addEventListener" in globalThis) return;
  const known = new Map<Listener, (reason: unknown) => void>();
  Object.assign(globalThis, {
    addEventListener(name: string, listener: Listener): void {
      if (name !== "unhandledrejection") throw new Error(`There is no event "${name}" here.`);
      const heard = (reason: unknown): void => listener({ reason, preventDefault: () => undefined });
      known.set(listener, heard);
      process.on("unhandledRejection", heard);
    },
    removeEventListener(_: string, listener: Listener): void {
      process.off("unhandledRejection", known.get(listener) as (reason: unknown) => void);
      known.delete(listener);
    },
  });
}
