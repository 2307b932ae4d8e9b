// Names of parts, made of those of the file: letters, digits, "_" and "-", in groups that dots divide.

/** A name as the pieces of a path. Of several names in one, which TensorFlow Lite makes, it is the first. */
export function piecesOf(name: string): string[] {
  const groups: string[] = [];
  for (const group of (name.split(";")[0] as string).split(/[/:]+/)) {
    // PyTorch says each module with all that it is in: /layer1/layer1.0/conv1.
    if (groups.length > 0 && group.startsWith(`${groups.at(-1)}.`)) groups.pop();
    groups.push(group);
  }
  return groups
    .flatMap((group) => group.split("."))
    .map((piece) => piece.replace(/[^A-Za-z0-9_-]+/g, "_"))
    .filter((piece) => piece !== "" && piece !== "_")
    .map((piece) => (piece in {} ? `${piece}_` : piece));
}

/** A name as the pieces of a path, without a number at its end, which is that of an output: "Reshape:0". */
export function trimmed(name: string): string[] {
  const pieces = piecesOf(name);
  while (pieces.length > 1 && /^\d+$/.test(pieces.at(-1) as string)) pieces.pop();
  return pieces;
}

/** What a part is called that has these weights of the file: as their module, if they tell one. */
export function moduleOf(sources: readonly (string | undefined)[]): string | undefined {
  const found = sources.flatMap((source) => {
    const pieces = trimmed(source ?? "");
    const isMade = pieces[0] === "onnx" || /^const/i.test(pieces.at(-1) ?? "");
    return pieces.length < 2 || isMade ? [] : [pieces.slice(0, -1)];
  });
  return found.sort((a, b) => b.length - a.length)[0]?.join(".");
}

/** What a part is called that stands for a node: as it is called itself, but not as one of the `modules`, which have weights. */
export function nodeName(name: string, op: string, modules: ReadonlySet<string>): string {
  const pieces = piecesOf(name);
  if (pieces.length > 1 && pieces.at(-1) === op && !modules.has(pieces.slice(0, -1).join("."))) pieces.pop();
  if (modules.has(pieces.join("."))) pieces.push(op);
  return pieces.length === 0 ? op : pieces.join(".");
}

/**
 * What all modules begin with that have weights, as TensorFlow and JAX call them, `StatefulPartitionedCall/model`: it says nothing. Of
 * each at least one piece is left.
 */
export function commonStart(sources: readonly string[]): readonly string[] {
  const modules = sources.flatMap((source) => {
    const found = source.includes("/") ? moduleOf([source])?.split(".") : undefined;
    return found === undefined ? [] : [found];
  });
  const [first, ...others] = modules;
  if (first === undefined || others.length === 0) return [];
  const differs = first.findIndex((piece, i) =>
    modules.some((pieces) => pieces[i] !== piece || pieces.length === i + 1),
  );
  return first.slice(0, differs < 0 ? first.length - 1 : differs);
}

/** A name without what all begin with. */
export const shortened = (name: string, start: readonly string[]): string =>
  start.length > 0 && name.startsWith(`${start.join(".")}.`) ? name.slice(start.join(".").length + 1) : name;

/** An operator's name as those of layers are written: "leakyRelu", "gru", "batchNorm". */
export const kindOf = (op: string): string =>
  op.replace(/^[A-Z]+(?![a-z])|^./, (start) => start.toLowerCase()).replace("alization", "");

/** Gives each name once: what is taken has a number put behind. */
export function claims(taken: Iterable<string>) {
  const used = new Set(taken);
  return (name: string): string => {
    let own = name;
    for (let i = 2; used.has(own); i++) own = `${name}_${i}`;
    used.add(own);
    return own;
  };
}
