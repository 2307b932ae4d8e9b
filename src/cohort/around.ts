// What follows the way back, for all copies: the update and its like go over the blocks of all of them as over those of one, and ask for
// each row whether its copy is still in; states of all copies move in the dispatches of one; and what each copy has told is gathered
// where the core reads it, as a report for each.

import type { Command, Core, Program, Slice } from "./core.ts";
import { type Copied, TOLD } from "./spread.ts";

/** Where the status of a copy stands in its words: of a bad step it stays, and nothing of that copy moves. */
const status = /\bmetrics\[0\]/g;

/** A command over the blocks of all copies, by rows. */
export function byRows(command: Command, { rows, told }: Copied, core: Core): Command {
  const { kernel, source, holes, bindings } = command;
  if (!bindings.some(({ arena }) => arena === "metrics")) return command;
  const code = core.specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");
  const [, block] = /\bblocks\[(\w+)\]/.exec(code) ?? [];
  return rebound(
    command,
    code
      .replace(status, `metrics[(blocks[${block}] >> 12u) / ${rows}u * ${told / 16}u]`)
      .replace(/(\bmetrics\s*:\s*array<vec4u),\s*17u?>/, "$1>"),
    core,
  );
}

/** A command that moves states. */
export function byStates(command: Command, states: Program["states"]["layout"], copied: Copied, core: Core): Command {
  const { copies, told } = copied;
  const { kernel, source, holes, bindings, constants } = command;
  const code = core.specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");
  const from = (bindings.find(({ arena }) => arena === "states") as Slice).offset / 1024;
  const count = constants.BLOCKS as number;
  const lines = states.tensors.flatMap(({ offset, length }) => {
    const [begin, blocks] = [offset / 256 - from, Math.ceil(length / 256)];
    if (begin < 0 || begin >= count) return [];
    const end = (begin + blocks) * copies;
    return [`if (block < ${end}u) { return (block - ${begin * copies}u) / ${blocks}u; }`];
  });
  const [, block] = /let (\w+)\s*=\s*\w+\.y\s*\*/.exec(code) ?? [];
  const text = `${code.replace(status, `metrics[own_copy(${block}) * ${told / 16}u]`)}
fn own_copy(block: u32) -> u32 { ${lines.join(" ")} return 0u; }
`;
  const grid = core.fold(count * copies);
  const more = { ...command, constants: { BLOCKS: count * copies }, grid };
  return rebound(more, text, core, copies);
}

function rebound(command: Command, source: string, core: Core, factor = 1): Command {
  const { bindings, step: _, parts: __, ...shader } = command;
  return core.commandOf({ ...shader, source, holes: {} }, (name) => {
    const { arena, offset, bytes } = bindings.find((one) => one.name === name) as Command["bindings"][number];
    if (arena === "metrics") return { arena: TOLD, offset: 0, bytes: 0 };
    return { arena, offset: offset * factor, bytes: bytes * factor };
  });
}

export interface Telling {
  /** Reports of one copy, and of a step of all as the core has room for. */
  readonly reports: number;
  readonly room: number;
  /** Layers of all copies, behind whose alarms the core has its reports. */
  readonly layers: number;
  /** Whether a copy whose step was bad is out. */
  readonly halts: boolean;
}

/** What is told of a step: each copy's numbers as reports, the mean of the losses as the loss, and a bad step where none is left. */
export function tell({ reports, room, layers, halts }: Telling, { copies, told }: Copied, core: Core): Command {
  const source = `
struct Step { step: u32, slot: u32, start: u32, count: u32 }
@group(1) @binding(0) var<uniform> step: Step;
@group(0) @binding(0) var<storage, read> told: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> metrics: array<vec4u>;

@compute @workgroup_size(1)
fn main() {
  var total = 0.0;
  var live = 0u;
  for (var copy = 0u; copy < ${copies}u; copy++) {
    let begin = copy * ${told / 16}u;
    let own = told[begin + 1u + step.slot];
    let is_out = ${halts ? "told[begin].x != 0u" : "false"};
    let at = ${core.reportsAt(layers) / 4}u + step.slot * ${room}u + copy * ${reports + 1}u;
    metrics[at] = vec4u(select(own.y, 0x7fc00000u, is_out), own.z, own.w, 0u);
    for (var i = 0u; i < ${reports}u; i++) {
      let one = told[begin + ${core.reportsAt(0) / 4}u + step.slot * ${reports}u + i];
      metrics[at + 1u + i] = vec4u(select(one.x, 0x7fc00000u, is_out), one.yzw);
    }
    if (!is_out) {
      total += bitcast<f32>(own.y);
      live++;
    }
  }
  let mean = total / f32(max(live, 1u));
  metrics[1u + step.slot] = vec4u(step.step, bitcast<u32>(mean), 0u, 0u);
  if (live == 0u) { metrics[0] = vec4u(step.step, 0xffffffffu, step.step, 0x7fc00000u); }
}
`;
  const shader = { kernel: "tell", source, holes: {}, constants: {}, grid: [1, 1, 1] as const, when: 0, layer: "" };
  return core.commandOf({ ...shader, note: `${copies} copies` }, (name) => ({
    arena: name === "told" ? TOLD : name,
    offset: 0,
    bytes: 0,
  }));
}
