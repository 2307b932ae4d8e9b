// npm run build, second half: the entry points beside the core, and the published types.

import { buildEntries } from "./entries.ts";
import { writeTypes } from "./write-types.ts";

await buildEntries("dist");
writeTypes("dist");
