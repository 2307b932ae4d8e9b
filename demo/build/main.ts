// npm run build, second half: the published types, beside the file that Vite built.

import { writeTypes } from "./write-types.ts";

writeTypes("dist");
