// The files of data beside the pages. Where they are packed the page unpacks them, unless the server has said so and the browser did.

/** The bytes of a file of the folder that holds the pages' folders. */
export async function readFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(`../${name}`, document.baseURI));
  if (!response.ok)
    throw new Error(`${name}: the server answers ${response.status}. Serve the whole folder of the site.`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b; // how gzip begins, and none of our files
  return packed ? unpacked(bytes) : bytes;
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
