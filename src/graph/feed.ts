// Where a step begins: a node for each stream that it takes from its data. The first input and the first target come in one.

import { gather } from "../op/gather.ts";
import { gatherWords } from "../op/gather-words.ts";
import type { Attributes, Op } from "../op/op.ts";
import type { DType, Tensor } from "../op/tensor.ts";
import { addTensor, type Graph, type Node } from "./graph.ts";
import { type DataFormat, dataName, type Stream } from "./stream.ts";

interface FeedOptions {
  readonly inputs: readonly Stream[];
  readonly batch: number;
  readonly format: DataFormat;
}

type Kind = "x" | "y" | "weight";

interface Asked {
  readonly kind: Kind;
  readonly stream: Stream;
  readonly made: Tensor;
}

const words = { x: "input", y: "target", weight: "weight" } as const;

/** The streams of a graph while it is traced; `begin` puts their nodes in front, once it is known what is asked for. */
export function createFeeds(graph: Graph, { inputs, batch, format }: FeedOptions) {
  const asked: Asked[] = [];

  /** A tensor that a node in front is to make. */
  function gathered(kind: Kind, stream: Stream): Tensor {
    const { name, shape, classes } = stream;
    const known = asked.find((one) => one.kind === kind && one.stream.name === name);
    if (known !== undefined) return known.made;
    const made = addTensor(graph, {
      name: name === "" ? words[kind] : `${words[kind]}.${name}`,
      shape: [batch, ...shape],
      dtype: classes === undefined ? "f32" : "u32",
      role: "activation",
      ...(classes !== undefined && { classes }),
    });
    asked.push({ kind, stream, made });
    return made;
  }

  const data = (name: string, dtype: DType): number => {
    const found = graph.tensors.find((tensor) => tensor.role === "data" && tensor.name === name);
    return (found ?? addTensor(graph, { name, shape: [1], dtype, role: "data" })).id;
  };

  const node = (op: Op, from: readonly number[], outputs: readonly Tensor[], attributes: Attributes): Node => ({
    ...{ op, inputs: from, outputs: outputs.map(({ id }) => id), attributes },
    ...{ layer: "", epilogue: [] },
  });

  return {
    gathered,

    /** `kept` are read by nobody and yet wanted. */
    begin(kept: readonly number[]): void {
      const read = new Set([...kept, ...graph.nodes.flatMap(({ inputs }) => inputs)]);
      const wanted = asked.filter(({ made }) => read.has(made.id));
      const first = wanted.find(isPlain);
      const target = first && wanted.find(({ kind }) => kind === "y");
      const order = data("data.order", "u32");
      const nodes = wanted.map((one) => {
        const { kind, stream, made } = one;
        const source = data(dataName(kind, stream.name), "u32");
        const factorOf = ({ kind, stream }: Asked): number =>
          (kind === "y" && format.targets.find(({ name }) => name === stream.name)?.factor) || 0;
        if (!isPlain(one)) {
          const { shape, dtype, name: suffix } = made;
          return node(gatherWords as Op, [source, order], [made], { shape, dtype, suffix, factor: factorOf(one) });
        }
        const beside = one === first ? target : undefined;
        const words = data(dataName("y", beside?.stream.name ?? ""), "u32");
        const from = [source, words, order, data(dataName("norm", stream.name), "f32")];
        const outputs = beside === undefined ? [made] : [made, beside.made];
        const form = format.inputs[inputs.indexOf(stream)];
        return node(gather as Op, from, outputs, {
          ...{ ...form, ...targetOf(beside?.made, batch), input: made.shape },
          factor: beside === undefined ? 0 : factorOf(beside),
        });
      });
      graph.nodes.unshift(...nodes.filter((_, i) => wanted[i] !== target));
    },
  };
}

/** Whether it is an input of numbers, which are scaled and shifted on their way. */
const isPlain = ({ kind, stream }: Asked): boolean => kind === "x" && stream.classes === undefined;

/** What `gather` has to know of the target that comes with its input. */
const targetOf = (target: Tensor | undefined, batch: number) => ({
  target: target?.shape ?? [batch],
  integerTarget: target?.dtype === "u32",
  targets: target !== undefined,
});
