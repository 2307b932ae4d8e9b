// A plain server of files for this machine alone, with the policy that the pages keep to.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { POLICY } from "./parts.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};

/** The server, listening; `path` is the folder of the server that it has the files in. Port 0 is any free one. */
export async function serveSite(folder: string, port = 0, path = "/"): Promise<Server> {
  const server = createServer(async ({ url = "/" }, response) => {
    const asked = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const name = normalize(asked.startsWith(path) ? asked.slice(path.length) : "missing");
    const file = join(folder, name, asked.endsWith("/") ? "index.html" : "");
    const found = name.startsWith("..") ? undefined : await stat(file).catch(() => undefined);
    if (found?.isDirectory()) response.writeHead(301, { location: `${asked}/` }).end();
    else if (found === undefined) response.writeHead(404).end("There is no such file.");
    else {
      const type = types[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "content-security-policy": POLICY });
      createReadStream(file).pipe(response);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "localhost", resolve);
  });
  return server;
}

/** The address of a server that listens. */
export function addressOf(server: Server): string {
  const address = server.address();
  return `http://localhost:${typeof address === "object" ? address?.port : address}`;
}
