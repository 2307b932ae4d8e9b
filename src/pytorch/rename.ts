// Names of foreign tensors turned into those of a model, by rules of patterns or by a function.

import { NameError, OptionError } from "../index.ts";
import { named } from "./refuse.ts";

/**
 * A rule [from, to]: names that the pattern `from` matches become `to`. As in all patterns `*` stands for anything within a part of a
 * name, `**` for anything at all, and what lies below the named is meant too: ["module", ""] takes a prefix away. Wildcards of `to`
 * are what those of `from` stood for, in order. A list as `to` cuts the tensor along its first axis into as many equal parts. Rules act one after
 * the other, each on what those before it made.
 */
export type Rename =
  | readonly (readonly [from: string, to: string | readonly string[]])[]
  | ((name: string) => string | readonly string[]);

/** A name of a file, and what it becomes: one name, or one for each part of the tensor. */
export type Renamed = ReadonlyMap<string, readonly string[]>;

const WILDCARD = /\*\*\.|\*\*|\*/g;
const captures: Readonly<Record<string, string>> = { "**.": "((?:.*\\.)?)", "**": "(.*)", "*": "([^.]*)" };
const place = "loadWeights: rename";

/** What the names become. Throws OptionError for what is no rule, and unless `some` names are missing NameError for one that matches nothing. */
export function renamed(names: readonly string[], rename: Rename | undefined, some = false): Renamed {
  let now: Renamed = new Map(names.map((name) => [name, [name]]));
  if (rename === undefined) return now;
  if (typeof rename === "function") return new Map(names.map((name) => [name, checkedTo(name, rename(name))]));
  if (!Array.isArray(rename))
    throw new OptionError(`${place}: it must be a list of rules or a function. Write [["module", ""]].`);
  for (const rule of rename) {
    const change = ruleOf(rule);
    let hits = 0;
    const next = [...now].map(([name, to]): [string, readonly string[]] => [
      name,
      to.flatMap((one) => {
        const made = change(one);
        if (made !== undefined) hits++;
        return made ?? [one];
      }),
    ]);
    if (hits === 0 && !some)
      throw new NameError(
        `${place}: "${rule[0]}" matches no tensor. They are called ${named([...now.values()].flat())}.`,
      );
    now = new Map(next);
  }
  return now;
}

function checkedTo(name: string, to: unknown): readonly string[] {
  const list = Array.isArray(to) ? to : [to];
  if (list.length > 0 && list.every((one) => typeof one === "string")) return list;
  throw new OptionError(`${place}: it gives no name for "${name}". Give a text, or a list of texts.`);
}

/** What a rule makes of a name; undefined where it does not match. */
function ruleOf(rule: unknown): (name: string) => readonly string[] | undefined {
  const [from, to] = Array.isArray(rule) ? rule : [];
  const targets = Array.isArray(to) ? to : [to];
  if (
    typeof from !== "string" ||
    from === "" ||
    targets.length === 0 ||
    !targets.every((one) => typeof one === "string")
  )
    throw new OptionError(
      `${place}: a rule is [from, to] in texts. Write ["module", ""] or ["**.qkv", ["**.q", "**.k", "**.v"]].`,
    );
  const count = from.match(WILDCARD)?.length ?? 0;
  const most = Math.max(...targets.map((one: string) => one.match(WILDCARD)?.length ?? 0));
  if (most > count)
    throw new OptionError(
      `${place}: "${from}" has ${count} wildcards, "${targets.join('", "')}" up to ${most}. Let to have no more.`,
    );
  const body = from.replace(
    /\*\*\.|\*\*|\*|[^*]+/g,
    (part) => captures[part] ?? part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"),
  );
  const test = new RegExp(`^${body}((?:\\..*)?)$`);
  return (name) => {
    const match = test.exec(name);
    if (match === null) return undefined;
    return targets.map((target: string) => {
      let at = 1;
      const made = target.replace(WILDCARD, () => match[at++] as string) + match.at(-1);
      return made.replace(/^\.+|\.+$/g, "").replace(/\.{2,}/g, ".");
    });
  };
}
