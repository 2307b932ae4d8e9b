// npm run site: builds the pages as one folder of files, says where it is and how it is served, and serves it if asked to.

import { relative } from "node:path";
import { help, type Options, options } from "./options.ts";

function fail(error: unknown, exitCode: number): never {
  console.error(`site: ${(error as Error).message}`);
  process.exit(exitCode);
}

async function run({ out, serve, port }: Options): Promise<void> {
  const { buildSite } = await import("./build.ts"); // Vite: not for --help
  const { folder, files, bytes } = await buildSite(out);
  const name = relative("", folder) || ".";
  console.log(`Built ${name}: ${files} files, ${(bytes / 1e6).toFixed(1)} MB`);
  if (!serve) {
    console.log(
      `Any server of files will do, in any folder: npx vite preview --outDir ${name}, or npm run site -- --serve`,
    );
    return;
  }
  const { addressOf, serveSite } = await import("./serve.ts");
  console.log(`Open ${addressOf(await serveSite(folder, port))}/ (Ctrl-C ends it)`);
}

let chosen: Options;
try {
  chosen = options();
} catch (error) {
  fail(error, 2);
}
if (chosen.help) console.log(help);
else await run(chosen).catch((error) => fail(error, 1));
