// A checkpoint held against the trainer that is to load it: base, weights, signature, the other tensors, training record, in this
// order, and every difference is said before anything is changed.

import { bug, CheckpointError, listed } from "../errors.ts";
import type { RowState } from "../optim/row.ts";
import { type Checkpoint, keyOf, openCheckpoint, type Sections, WEIGHTS } from "./checkpoint.ts";
import { firstSignature } from "./first-form.ts";
import type { FileTensor, StoredTensor } from "./safetensors.ts";
import { checkBase, checkSignature, ownValue, type Signature } from "./signature.ts";
import { checkedTraining, type Owner } from "./training.ts";

/** A tensor that a trainer has. */
export interface Wanted {
  readonly role: string;
  readonly name: string;
  readonly shape: readonly number[];
  /** Its numbers where a difference that is allowed leaves none in the file. Default: zeros; of an average: the weights. */
  readonly start?: () => Float32Array<ArrayBuffer>;
}

/** What the present trainer expects a checkpoint to hold. */
export interface Expected {
  readonly tensors: readonly Wanted[];
  readonly rows: readonly Owner[];
  readonly signature: Signature;
}

export interface Loaded extends Checkpoint {
  /** A file of the first form knows no batch of its place: what stands in the midst of an epoch cannot go on to the same bits. */
  readonly form: 1 | 2;
}

/**
 * Reads a checkpoint and holds it against the trainer. Keys of the signature in `allow` may differ. Throws CheckpointError with
 * every difference, and OptionError where `allow` has no such key, before anything is changed.
 */
export function decodeCheckpoint(
  bytes: Uint8Array | ArrayBuffer,
  expected: Expected,
  allow: readonly string[] = [],
): Loaded {
  const { form, sections, signature, training } = openCheckpoint(bytes);
  if (form === 0 || training === undefined) {
    throw new CheckpointError(
      `checkpoint: ${form === 0 ? "it is a safetensors file of another program" : "it holds weights alone"}. Use transfer() for its weights, or a file that trainer.save() wrote.`,
    );
  }
  checkBase(signature, expected.signature);
  checkTensors(sections, expected.tensors, (role) => role === WEIGHTS);
  const here = form === 1 ? firstSignature(expected.signature) : expected.signature;
  const differing = checkSignature(signature, here, allow);
  const rule = (from: Signature, name: string): unknown => ownValue(ownValue(ownValue(from, "rules"), name), "name");
  /** Whether what the file has of a tensor was made by another rule. */
  const foreign = (name: string): boolean =>
    differing.has("rules") && rule(signature, name) !== rule(expected.signature, name);
  checkTensors(sections, expected.tensors, (role) => role !== WEIGHTS && !differing.has(decider(role)));
  const weights = sections.get(WEIGHTS) ?? new Map<string, FileTensor>();
  const taken = new Map<string, Map<string, StoredTensor>>();
  for (const { role, name, shape, start } of expected.tensors) {
    const stored = sections.get(role)?.get(name);
    const kept = stored !== undefined && String(stored.shape) === String(shape);
    const numbers = (): Float32Array<ArrayBuffer> => {
      if (kept && !(decider(role) === "rules" && foreign(name))) return stored.data;
      if (role === "average") return weights.get(name)?.data ?? bug(`"${name}" has no weights`);
      return start?.() ?? new Float32Array(shape.reduce((product, length) => product * length, 1));
    };
    taken.set(role, (taken.get(role) ?? new Map()).set(name, { shape, data: numbers() }));
  }
  const checked = checkedTraining(training, expected.rows);
  const rows = expected.rows.map(({ name, lr, multiplier, weightDecay }) => {
    const row = checked.rows[name] as RowState;
    return [name, foreign(name) ? { ...row, lr, multiplier, weightDecay, updates: 0 } : row];
  });
  return { form, sections: taken, signature, training: { ...checked, rows: Object.fromEntries(rows) } };
}

/** The key of the signature that decides whether there are tensors of a role. */
const decider = (role: string): string =>
  role.startsWith("moment") ? "rules" : role === "average" ? "averaging" : role;

/** Names and shapes of the roles that are asked for. */
function checkTensors(
  sections: Sections<FileTensor>,
  wanted: readonly Wanted[],
  asked: (role: string) => boolean,
): void {
  const found = new Map(
    [...sections].flatMap(([role, byName]) =>
      asked(role) ? [...byName].map(([name, { shape }]) => [keyOf(role, name), shape] as const) : [],
    ),
  );
  const needed = wanted
    .filter(({ role }) => asked(role))
    .map(({ role, name, shape }) => ({ key: keyOf(role, name), shape }));
  const missing = needed.filter(({ key }) => !found.has(key)).map(({ key }) => key);
  const fail = (what: string): never => {
    throw new CheckpointError(`checkpoint: ${what}. Load it into the model that saved it, or use transfer().`);
  };
  if (missing.length > 0) fail(`it lacks ${listed(missing)}. It holds ${listed([...found.keys()])}`);
  const keys = new Set(needed.map(({ key }) => key));
  const extra = [...found.keys()].filter((key) => !keys.has(key));
  if (extra.length > 0) fail(`this model has no ${listed(extra)}`);
  const misfit = needed.find(({ key, shape }) => String(found.get(key)) !== String(shape));
  if (misfit !== undefined)
    fail(`"${misfit.key}" has shape [${found.get(misfit.key)}], this model needs [${misfit.shape}]`);
}
