// The log of changes in words, and what can be done with a run: export it, make it again, and see that the bits agree.

import type { Edit } from "../../src/index.ts";
import { find, make, write } from "../page/element.ts";
import { rate, whole } from "../page/number.ts";

export interface ChangeActions {
  /** Hands out the run as a file. */
  save(): void;
  /** Makes the present run again. */
  replay(): void;
  /** Makes the run of a file. */
  replayFile(text: string): void;
}

export class Changes {
  readonly #list = find("#changes", HTMLOListElement);
  readonly #result = find("#result", HTMLParagraphElement);
  readonly #buttons = [find("#export", HTMLButtonElement), find("#replay", HTMLButtonElement)];
  readonly #file = find("#replay-file", HTMLInputElement);
  #shown: string | undefined;

  constructor({ save, replay, replayFile }: ChangeActions) {
    for (const [i, act] of [save, replay].entries()) {
      const button = this.#buttons[i];
      button?.addEventListener("click", () => button.ariaDisabled !== "true" && act());
    }
    this.#file.addEventListener("change", async () => {
      const text = await this.#file.files?.[0]?.text();
      this.#file.value = ""; // the same file may be chosen again
      if (text !== undefined) replayFile(text);
    });
  }

  /** The latest change on top. */
  show(edits: readonly Edit[]): void {
    const entries = together(edits).reverse();
    const key = JSON.stringify(entries);
    if (key === this.#shown) return;
    this.#shown = key;
    const items = entries.map(({ first, last, pattern, words, count }) => {
      const step = first === last ? whole(first) : `${whole(first)} – ${whole(last)}`;
      const times = count > 1 ? make("small", "", ` ${count} changes`) : "";
      const what = make("span", "", make("b", "", pattern), ` ${words}`, times);
      return make("li", "", make("span", "step", `step ${step}`), what);
    });
    this.#list.replaceChildren(...(items.length > 0 ? items : [make("li", "none", "No change so far.")]));
  }

  /** The line below the log; `kind` says how it ended. */
  tell(words: string, kind: "" | "same" | "other" = ""): void {
    write(this.#result, words);
    this.#result.dataset.kind = kind;
  }

  enable(possible: boolean): void {
    for (const button of this.#buttons) button.ariaDisabled = String(!possible);
  }
}

interface Entry {
  readonly first: number;
  readonly last: number;
  readonly pattern: string;
  readonly words: string;
  readonly count: number;
}

/** A slider that is drawn makes a change at each position: changes of one kind that follow each other are one entry. */
function together(edits: readonly Edit[]): Entry[] {
  const entries: (Entry & { readonly kind: string })[] = [];
  for (const edit of edits) {
    const { step, pattern } = edit;
    const kind = [edit.kind, pattern, ...Object.keys(edit.change)].join();
    const before = entries.at(-1);
    const same = before?.kind === kind ? before : undefined;
    if (same !== undefined) entries.pop();
    const [first, count] = [same?.first ?? step, (same?.count ?? 0) + 1];
    entries.push({
      first,
      last: step,
      pattern: pattern === "**" ? "all layers" : pattern,
      words: inWords(edit),
      kind,
      count,
    });
  }
  return entries;
}

function inWords({ kind, change }: Edit): string {
  if (kind === "freeze") return "frozen";
  if (kind === "unfreeze") return "unfrozen";
  return Object.entries(change)
    .flatMap(([key, value]) => {
      if (key === "lr") return [`rate ${rate(Number(value))}`];
      if (key === "multiplier") return value === 1 ? [] : [`× ${Number(Number(value).toPrecision(3))}`];
      if (key === "schedule") return [namesIn(value)];
      if (key === "frozen") return value ? ["frozen"] : [];
      if (key === "from" || key === "until") return [`${key} step ${whole(Number(value))}`];
      return [`${key} ${typeof value === "object" ? JSON.stringify(value) : value}`];
    })
    .join(", ");
}

/** A schedule by its name; one that begins later by the name of what begins. */
function namesIn(spec: unknown): string {
  const { name, options } = Object(spec);
  return name === "sequence" ? namesIn(options.schedules.at(-1)) : String(name);
}
