// Files of networks that others trained, in stories: from the server of the page, unless a runtime without one sets another way.

let read = async (path: string): Promise<Uint8Array> => {
  const answer = await fetch(`/data/${path}`);
  if (!answer.ok) throw new Error(`/data/${path}: the server answers ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
};

export function readForeignWith(reader: typeof read): void {
  read = reader;
}

/** The bytes of a file of demo/data.json, by its path there. */
export const foreignFile = (path: string): Promise<Uint8Array> => read(path);
