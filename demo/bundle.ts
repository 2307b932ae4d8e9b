// One script of everything that an entry imports, for a runtime that knows neither TypeScript nor Vite.

import { fileURLToPath } from "node:url";
import { build } from "vite";

const repository = fileURLToPath(new URL("..", import.meta.url));

export interface BundleSettings {
  /** A file of the repository. */
  readonly entry: string;
  /** A page has no packages to import at run time; a process has. */
  readonly kind: "process" | "page";
  /** Packages that the script imports where it runs. */
  readonly external?: readonly string[];
  readonly alias?: Readonly<Record<string, string>>;
  /** Default: below node_modules, where packages are found. */
  readonly folder?: string;
}

/** Builds the script and gives its path. */
export async function makeBundle({ entry, kind, external = [], alias = {}, folder }: BundleSettings): Promise<string> {
  const name = entry.replace(/\.ts$/, "").replaceAll("/", "-");
  const outDir = folder ?? `${repository}node_modules/.gradus`;
  await build({
    configFile: false,
    root: repository,
    logLevel: "error",
    resolve: { alias },
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      minify: false,
      ssr: kind === "process",
      assetsInlineLimit: () => true, // a process has no server to ask for files
      reportCompressedSize: false,
      rolldownOptions: {
        input: repository + entry,
        treeshake: false, // package.json says that modules have no side effects, those of commands have
        ...(kind === "process" ? { external: [...external] } : {}),
        output: { format: "es", entryFileNames: `${name}.mjs`, codeSplitting: false },
      },
    },
    ssr: { noExternal: true, external: [...external] },
  });
  return `${outDir}/${name}.mjs`;
}
