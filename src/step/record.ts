// Graph + Plan + Choices -> Recording: the exact list of commands of a step, as plain data without a GPU type in it.
// It can be printed, compared and counted in Node; `replay` turns it into GPU objects once and runs it many times.

import { bug } from "../errors.ts";
import { type Graph, madeBy, type Node, namedTensors, tensorAt } from "../graph/graph.ts";
import { ROW_STRIDE } from "../op/check.ts";
import type { DeviceFacts } from "../op/kernel.ts";
import { type Chooser, chosen, type RowSum } from "../op/op.ts";
import { lateSums } from "../plan/late.ts";
import type { Layout } from "../plan/layout.ts";
import type { MemoryReport, Plan, Slice } from "../plan/plan.ts";
import { beside, thenRows } from "./beside.ts";
import { type Command, commandOf } from "./command.ts";
import { sumCommands } from "./sums.ts";
import { type UpdateOptions, type UpdateSettings, updateCommands } from "./update.ts";

/** A step as a list of dispatches, with the memory that it takes. `print` makes text of it. */
export interface Recording {
  /** "train", "evaluate" or "predict". */
  readonly name: string;
  /** In the order in which they run. */
  readonly commands: readonly Command[];
  /** Bytes of the activation arenas. */
  readonly arenas: ReadonlyMap<string, number>;
  /** Activations of the step. */
  readonly memory: MemoryReport;
  /** Where results stand that are read after the step, by name. */
  readonly results: Readonly<Record<string, Slice>>;
  /** Whether a step leaves more than its metrics and reports. */
  readonly tellsMore?: boolean;
}

export interface RecordOptions {
  readonly name: string;
  readonly device: DeviceFacts;
  /** Who has a say in how kernels run. Default: they alone. */
  readonly tuning?: Chooser | undefined;
  /** Whether a loss that is not finite halts the updates. */
  readonly halts?: boolean;
  /** Whether gradients are asked where they are stored, so that a bad one halts the updates too. */
  readonly checked?: boolean;
  /** Bytes of an arena that a shader sees at once. Default: all. */
  readonly mostBytes?: number;
  /** The optimizer update at the end of a training step. */
  readonly update?: UpdateOptions;
  /** What moves states, beside the update. */
  readonly commits?: readonly Command[];
  /** Tensors to be read after the step. */
  readonly results?: Readonly<Record<string, number>>;
  /** Whether it leaves counts or losses of samples. */
  readonly tellsMore?: boolean;
}

export function record(graph: Graph, plan: Plan, options: RecordOptions): Recording {
  /** By dispatch, as they stand beside each other. */
  const groups: Command[][] = [];
  let late: RowSum[] = [];
  /** Numbers in the rows that a workgroup of the command before makes. */
  let held: number | undefined;
  for (const [at, node] of graph.nodes.entries()) {
    const sums = lateSums(graph, node);
    if (sums !== undefined) {
      late.push(...sums);
      continue;
    }
    const { kernel } = node.op;
    if (kernel === undefined) continue;
    addLate();
    const named = namedTensors(graph, node);
    const made = madeBy(graph, node);
    const rows = node.outputs.map((id) => plan.rowOf(id));
    const checked = options.checked === true && rows.some((row) => row !== undefined);
    const { tensors, times, lines, by, ...choice } = chosen(
      kernel,
      {
        op: node.op,
        tensors: named,
        all: node.inputs.map((id) => tensorAt(graph, id)),
        outputs: [...made, ...node.outputs.slice(made.length).map((id) => tensorAt(graph, id))],
        attributes: node.attributes,
        epilogue: node.epilogue,
        device: options.device,
        halts: options.halts === true,
        checked,
        whole: graph.nodes.slice(at + 1).find(({ op }) => op.kernel !== undefined)?.after === true,
      },
      options.tuning,
    );
    const command = commandOf(
      {
        ...{ kernel: kernel.name, ...choice, when: 0, layer: node.layer },
        ...(times > 1 && { times }),
      },
      (binding) => {
        const tensor = tensors[binding];
        return tensor === undefined ? besideTensors(binding, node, rows) : plan.sliceOf(tensor.id);
      },
    );
    const group = groups.at(-1) ?? [];
    const each = (held ?? 0) / (kernel.rows?.({ tensors: named, attributes: node.attributes })?.length ?? 0);
    const follows = node.after === true && by !== undefined && Number.isInteger(each) && each > 0;
    const joined = follows && thenRows(group.at(-1) as Command, command, { by, each }, options.mostBytes);
    if (joined) group.splice(-1, 1, joined);
    else if (node.beside === true && node.after !== true) group.push(command);
    else groups.push([command]);
    held = lines;
  }
  addLate();
  const commands = groups.flatMap((group) => beside(group, options.mostBytes));
  if (options.update !== undefined) commands.push(...updateCommands(options.update));
  commands.push(...(options.commits ?? []));
  checkWrites(commands);
  return {
    name: options.name,
    commands,
    arenas: plan.arenas,
    memory: plan.report,
    results: Object.fromEntries(Object.entries(options.results ?? {}).map(([name, id]) => [name, plan.sliceOf(id)])),
    ...(options.tellsMore === true && { tellsMore: true }),
  };

  /** Sums that stand beside one another. */
  function addLate(): void {
    const { checked = false, mostBytes, device } = options;
    const given = { checked, mostBytes, software: device.software };
    if (late.length > 0) groups.push(...sumCommands(late, plan, given).map((sums) => [sums]));
    late = [];
  }
}

/** A recording of the update alone, for gradients that come from elsewhere. */
export function recordUpdate(
  update: UpdateSettings,
  layout: Layout,
  { mostBlocks = Number.POSITIVE_INFINITY, sampled = false, software = false } = {},
): Recording {
  const options = { ...update, blocks: layout.blocks, rows: layout.tensors.length, sampled, mostBlocks, software };
  return {
    name: "update",
    commands: updateCommands(options),
    arenas: new Map(),
    memory: { planned: 0, naive: 0, lowerBound: 0 },
    results: {},
  };
}

/** What a kernel needs beside its tensors: the path of random numbers, which run of several it is, and whose gradient was bad, of its result and of its sum. */
function besideTensors(binding: string, { attributes }: Node, [row, sumRow]: readonly (number | undefined)[]): Slice {
  if (binding === "metrics") return { arena: binding, offset: 0, bytes: 0 };
  if (binding === "tick") return { arena: "ticks", offset: 0, bytes: 16 };
  if (binding === "path") return { arena: "paths", offset: ROW_STRIDE * (attributes.index as number), bytes: 16 };
  if (!binding.endsWith("_row")) return bug(`no tensor is called "${binding}"`);
  const own = binding === "sum_row" ? sumRow : row;
  return { arena: "rowNumbers", offset: ROW_STRIDE * ((own ?? -1) + 1), bytes: 16 };
}

/** Law 2 once more, on what was really recorded: a buffer is read or written in a dispatch, never both. */
function checkWrites(commands: readonly Command[]): void {
  for (const { kernel, bindings } of commands) {
    for (const written of bindings.filter(({ access }) => access === "readWrite")) {
      const read = bindings.find(({ arena, access }) => arena === written.arena && access !== "readWrite");
      if (read !== undefined) bug(`${kernel} reads "${read.name}" from the arena that it writes "${written.name}" to`);
    }
  }
}

/** How many dispatches a recording is, where all of its commands run. */
export const dispatchesOf = ({ commands }: Recording): number =>
  commands.reduce((sum, { times = 1 }) => sum + times, 0);

/** Everything that a person wants to see of a step: a line for each dispatch. */
export function print(recording: Recording): string {
  const { commands, memory, arenas } = recording;
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MB`;
  const rows = commands.map((command, i) => {
    const side = (writes: boolean): string =>
      command.bindings
        .filter(({ access, arena }) => (access === "readWrite") === writes && !["rowNumbers", "ticks"].includes(arena))
        .map(({ arena, offset }) => (offset === 0 ? arena : `${arena}@${offset}`))
        .join(" ");
    return [
      String(i),
      command.kernel,
      command.layer,
      command.note,
      `grid ${command.grid.join("x")}${command.times === undefined ? "" : ` ${command.times} times`}`,
      `${side(false)} -> ${side(true)}`,
    ];
  });
  const dispatches = dispatchesOf(recording);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padStart(widths[0] as number) : cell.padEnd(widths[i] ?? 0))).join("  "),
  );
  return [
    `${recording.name}: ${commands.length} commands${dispatches > commands.length ? ` in ${dispatches} dispatches` : ""}, ${arenas.size} activation arenas ` +
      `(${megabytes(memory.planned)} planned, ${megabytes(memory.lowerBound)} at least, ${megabytes(memory.naive)} naive), 1 submit`,
    ...lines.map((line) => `  ${line.trimEnd()}`),
  ].join("\n");
}
