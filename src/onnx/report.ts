// What a reader says of a file: plain data, and a table of it.

/** A tensor of the file, and where it is in the model. */
export interface OnnxTensor {
  /** ONNX's name; where a tensor has none, that of its node. */
  readonly source: string;
  /** Path of the tensor in the model. */
  readonly name: string;
  /** Lengths of its axes, as the model has them. */
  readonly shape: readonly number[];
  /** Whether it is a parameter, and not a state. */
  readonly trains: boolean;
}

/** What was read of an ONNX file, and what was left out. */
export interface OnnxReport {
  /** What wrote the file, as it says. */
  readonly producer: string;
  /** Version of the operators. */
  readonly opset: number;
  /** Nodes of the file that outputs need. */
  readonly nodes: number;
  /** Nodes that were reckoned while the file was read, or that move nothing. */
  readonly folded: number;
  /** Groups of nodes that were recognised as one operator, by its name. */
  readonly recognised: Readonly<Record<string, number>>;
  /** How many samples the model takes: any, or as many as the file says. */
  readonly batch: "any" | number;
  /** Path in the model, kind of layer, and the name of the node in the file. */
  readonly parts: readonly { readonly name: string; readonly kind: string; readonly node: string }[];
  /** Parameters and states. */
  readonly tensors: readonly OnnxTensor[];
  /** Initializers and inputs that nothing needs. */
  readonly leftOut: readonly string[];
  /** Parts through which no gradient goes, and why. */
  readonly withoutGradient: readonly { readonly name: string; readonly node: string; readonly why: string }[];
  /** A table of parts and tensors, then what was left out. */
  toString(): string;
}

/** A report with its table. */
export function reportOf(facts: Omit<OnnxReport, "toString">): OnnxReport {
  const { producer, recognised, tensors, leftOut, withoutGradient } = facts;
  const counts = Object.entries(recognised).map(([name, count]) => `${count} ${name}`);
  const widest = Math.max(0, ...tensors.map(({ name }) => name.length));
  return {
    ...facts,
    toString: () =>
      [
        `ONNX opset ${facts.opset}${producer === "" ? "" : ` of ${producer}`}: ${facts.nodes} nodes, ${facts.folded} folded, ${facts.parts.length} parts, batch ${facts.batch}`,
        ...(counts.length === 0 ? [] : [`recognised: ${counts.join(", ")}`]),
        ...tensors.map(
          ({ name, shape, trains, source }) =>
            `${name.padEnd(widest)}  ${`[${shape}]`.padEnd(16)}  ${trains ? "trains" : "state "}  ${source}`,
        ),
        ...(leftOut.length === 0 ? [] : [`left out: ${leftOut.join(", ")}`]),
        ...withoutGradient.map(({ name, node, why }) => `no gradient through "${name}" (${node}): ${why}`),
      ].join("\n"),
  };
}
