// The program of many copies, made of that of one: its tensors once for each copy, its commands spread, its update over all blocks.

import { type Copies, LimitError, OptionError } from "../index.ts";
import { alikeIn } from "./alike.ts";
import { byRows, byStates, tell } from "./around.ts";
import type { Core, Program, ProgramOptions, Residence } from "./core.ts";
import { type Replace, replaced } from "./replace.ts";
import { type Copied, placeOfMany, rowsOfCopy, spread, TOLD } from "./spread.ts";

/** Blocks of an arena begin at multiples of so many numbers. */
const BLOCK = 256;

/** `seeds`: of each copy; `ordered`: also of the order in which it sees samples. Copy k has its tensors and layers under "k". */
export function copiesOf(
  seeds: readonly number[],
  seed: number,
  ordered: boolean,
): Copies & { readonly replace: Replace } {
  const copies = seeds.length;
  /** The programs of one copy. */
  const single = new WeakMap<Program, Program>();
  const drawn = seeds.some((one) => one !== seed) ? seeds : undefined;
  /** Where the buffers of each program are: a trainer that survives its device has several of them in turn. */
  const places = new WeakMap<object, Pick<ProgramOptions, "store" | "gpu">>();
  let told = 0;
  return {
    orders: ordered ? seeds : undefined,
    build,
    replace: (trainer, from, to) => replaced(places.get(trainer.recording()) ?? {}, told, from, to),
  };

  function build(options: ProgramOptions, core: Core): Program {
    refuse(options);
    const { update, first, mostReports, mostBlocks = Number.POSITIVE_INFINITY, mode } = options;
    const before = first && single.get(first as Program);
    const reports = mostReports === undefined ? undefined : mostReports / copies - 1;
    const one = core.buildOne({
      ...options,
      update: { ...update, layers: 0 },
      mostBlocks: Math.max(1, Math.floor(mostBlocks / copies)),
      ...(before && { first: before }),
      ...(reports !== undefined && { mostReports: reports }),
      frozen: new Set([...options.frozen].filter((name) => isInAll(name, options.frozen)).map(withoutCopy)),
    });
    const rows = one.parameters.length;
    const room = (reports ?? one.reports.length) + 1;
    told = 4 * core.reportsAt(0) + 256 * (room - 1);
    // A processor takes every so many-th workgroup at once, and goes through what a copy reads as long as it stays near.
    const inTurns = options.software;
    const copied: Copied = { copies, rows, told, seeds: drawn, ordered: ordered && mode === "train", inTurns };
    const weights = many({ parameters: one.parameters, layout: one.layout }, core);
    const { recording } = one;
    const isAround = (arena: string): boolean => ["blocks", "accumulated"].includes(arena);
    const ofAll = alikeIn(copied);
    const commands = recording.commands.flatMap((command) => {
      if (command.bindings.some(({ arena }) => isAround(arena))) return [];
      if (command.kernel === "commit") return [byStates(command, one.states.layout, copied, core)];
      const { alike, once } = ofAll(command);
      return core.remade(
        command,
        (kernel) => spread(kernel, { ...copied, alike }, core, once),
        mostBlocks * BLOCK * 4,
        (rows, kernels) =>
          rowsOfCopy(rows, kernels.map(({ grid: [x, y, z] }) => x * y * z) as [number, number], copied),
      );
    });
    const end = commands.findIndex(({ kernel }) => kernel === "commit");
    const updates =
      mode === "train" && recording.commands.some(({ bindings }) => bindings.some(({ arena }) => isAround(arena)))
        ? core.updateCommands({
            ...update,
            ...{ blocks: weights.layout.blocks, rows: rows * copies, sampled: options.sampled, mostBlocks },
            software: options.software,
          })
        : [];
    commands.splice(end < 0 ? commands.length : end, 0, ...updates.map((command) => byRows(command, copied, core)));
    if (one.reports.length > 0 || mode !== "predict") {
      const telling = { reports: room - 1, room: room * copies, layers: update.layers, halts: mode === "train" };
      commands.push(tell(telling, copied, core));
    }
    const largest = Math.max(0, ...commands.flatMap(({ bindings }) => bindings.map(({ bytes }) => bytes)));
    if (largest > mostBlocks * BLOCK * 4) {
      // Rounded apart, as the core does it.
      const sizes = [Math.ceil((largest / 2 ** 20) * 10), Math.floor(((mostBlocks * BLOCK * 4) / 2 ** 20) * 10)].map(
        (tenths) => `${(tenths / 10).toFixed(1)} MB`,
      );
      throw new LimitError(
        `compileCohort: a tensor of ${copies} copies needs ${sizes[0]}, a shader sees ${sizes[1]} here. Use fewer copies or a smaller batch.`,
      );
    }
    const names = seeds.map((_, copy) => String(copy));
    const { memory } = recording;
    const made: Program = {
      ...one,
      recording: {
        ...recording,
        commands,
        arenas: new Map([
          ...[...recording.arenas].map(([name, bytes]) => [name, bytes * copies] as const),
          [TOLD, told * copies],
        ]),
        memory: {
          planned: memory.planned * copies,
          naive: memory.naive * copies,
          lowerBound: memory.lowerBound * copies,
        },
        results: Object.fromEntries(
          Object.entries(recording.results).map(([name, slice]) => [name, placeOfMany(slice, copied)]),
        ),
      },
      ...weights,
      states: many(one.states, core),
      depths: new Map(names.flatMap((copy) => [...one.depths].map(([path, depth]) => [under(copy, path), depth]))),
      labels: 0,
      reports: names.flatMap((copy) => [
        { name: copy, tells: "loss" as const, labels: one.labels },
        ...one.reports.map((report) => ({ ...report, name: under(copy, report.name) })),
      ]),
      takesPart: (row) => one.takesPart(row % rows),
    };
    single.set(made, one);
    places.set(made.recording, options);
    return made;
  }

  /** Whether all copies have what a name says to be frozen. */
  function isInAll(name: string, frozen: ReadonlySet<string>): boolean {
    return seeds.every((_, copy) => frozen.has(under(String(copy), withoutCopy(name))));
  }

  /** Each tensor once for each copy, one behind the other; in order, all of a copy before those of the next. */
  function many({ parameters, layout }: Residence, core: Core): Residence {
    const own = seeds.flatMap((seed, k) =>
      parameters.map((parameter) => ({
        ...parameter,
        name: under(String(k), parameter.name),
        layer: under(String(k), parameter.layer),
        initializer: () => core.initialValues(parameter, parameter.initializer, seed),
      })),
    );
    const tensors = seeds.flatMap((_, k) =>
      layout.tensors.map((placed) => ({
        ...placed,
        name: under(String(k), placed.name),
        layer: under(String(k), placed.layer),
        offset: placed.offset * copies + k * Math.ceil(placed.length / BLOCK) * BLOCK,
      })),
    );
    return { parameters: own, layout: { ...layout, tensors, blocks: layout.blocks * copies } };
  }
}

/** The path of what a copy has. */
export const under = (copy: string, path: string): string => (path === "" ? copy : `${copy}.${path}`);

const withoutCopy = (name: string): string => name.slice(name.indexOf(".") + 1);

/** What looks at all layers at once would look at all copies. */
function refuse({ update, perSample, mostCounts = 0 }: ProgramOptions): void {
  const { clip, controllers, rules } = update;
  if (clip !== undefined || controllers.length > 0 || rules.some(({ trust }) => trust !== undefined))
    throw new OptionError(
      'compileCohort: norms are taken over all layers at once, which are those of all copies here. Leave out "clip" by norm, "control", lars and lamb; { clip: { value } } can stay.',
    );
  if (perSample === true)
    throw new OptionError("compileCohort: the losses of samples are told by a trainer alone. Leave perSample out.");
  if (mostCounts > 0)
    throw new OptionError(
      "compileCohort: confusion matrices are counted by a trainer alone. Leave them out, and give the weights of extract(k) to one.",
    );
}
