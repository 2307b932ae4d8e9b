// A part of a model: up to a layer, or with another head. Names stay, so weights of the whole fit what is left of it.

import { instead, NameError, OptionError } from "../errors.ts";
import { checkedName, type GraphPart, type Model } from "../op/layer.ts";
import { resolved } from "../option.ts";
import { INPUT, partsModel } from "./graph-of.ts";
import { type Layers, sequential } from "./structure.ts";

/**
 * The model up to the part of this name, whose result it gives: a body without its head. The name is a path, `features.3` for a part
 * of a part. All names stay, hence weights of the whole model fit. Works on what `sequential`, `graph` and the readers of foreign
 * networks make. Throws NameError where there is no such part, OptionError where the model shows none.
 *
 * @example cut(model, "pool")
 */
export function cut(model: Model, name: string): Model {
  const parts = partsOf("cut", model);
  const at = parts.find(
    (part) => name === part.name || (String(name).startsWith(`${part.name}.`) && part.layer.parts !== undefined),
  );
  if (at === undefined) {
    const names = parts.map((part) => part.name);
    throw new NameError(`cut: there is no part "${name}".${instead(name, "Parts:", names)}`);
  }
  const last = name === at.name ? at : { ...at, layer: cut(at.layer, name.slice(at.name.length + 1)) };
  const needed = new Set([at.name]);
  const before = parts.slice(0, parts.indexOf(at));
  for (const part of [at, ...[...before].reverse()]) {
    if (needed.has(part.name)) for (const one of sourcesOf(part)) needed.add(one);
  }
  return partsModel(model.kind, [...before.filter((part) => needed.has(part.name)), last], at.name);
}

/** How a head is replaced. */
export interface ReplaceHeadOptions {
  /** Name of the new head. Default "head"; it may be that of no part of the model, the old head's among them. */
  readonly name?: string;
  /** The part behind which the new head stands. Default: the one before the last that is, or holds, a dense layer or a convolution. */
  readonly after?: string;
}

/**
 * The model with layers of its own in the place of its head, under a name of their own, so that the old head's weights are not taken
 * for the new one's. What followed the old head, such as a softmax, goes with it. Throws OptionError where no head is found, NameError
 * where the name is taken or `after` is no part.
 *
 * @example replaceHead(model, [dropout(0.2), dense(5)])
 */
export function replaceHead(model: Model, layers: Layers, options: ReplaceHeadOptions = {}): Model {
  const place = "replaceHead";
  const parts = partsOf(place, model);
  const { name, after } = resolved(place, options, { name: ["head"], after: [bodyEnd(parts) ?? ""] });
  checkedName("", name);
  if (parts.some((part) => part.name === name || part.name.startsWith(`${name}.`))) {
    throw new NameError(
      `${place}: the model has a part "${name}", whose weights would be taken for those of the new head. Give it another name, for example { name: "newHead" }.`,
    );
  }
  if (after === "") {
    throw new OptionError(
      `${place}: no part of the model is a dense layer or a convolution behind another part. Say where the head begins, for example { after: "${parts.at(-1)?.name}" }.`,
    );
  }
  const body = cut(model, after);
  return partsModel(
    model.kind,
    [...(body.parts ?? []), { name, layer: sequential(layers), from: body.outputs as string }],
    name,
  );
}

function partsOf(place: string, model: Model): readonly GraphPart[] {
  if (model?.parts !== undefined) return model.parts;
  throw new OptionError(
    `${place}: the model shows no parts${model?.kind === undefined ? "" : `, it is ${model.kind}`}. Give what sequential() or graph() made, or a reader of foreign networks.`,
  );
}

/** Names of the parts that a part takes; of "part:value" the part. */
const sourcesOf = ({ from }: GraphPart): string[] =>
  (typeof from === "string" ? [from] : Object.values(from)).map((name) => name.split(":")[0] as string);

/** The part before the last with a product. */
function bodyEnd(parts: readonly GraphPart[]): string | undefined {
  const head = parts.findLast(({ layer }) => holdsProduct(layer));
  return typeof head?.from === "string" && head.from !== INPUT ? head.from : undefined;
}

const holdsProduct = ({ kind, parts }: Model): boolean =>
  /^(dense|conv)/i.test(kind) || (parts ?? []).some(({ layer }) => holdsProduct(layer));
