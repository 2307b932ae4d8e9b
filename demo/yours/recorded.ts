// The page where there is no GPU: a run that was recorded, played in its chart, its table and its odds, which says that it is a recording. Nothing is
// trained, and what would need training is hidden by the page's styles.

import type { LayerRow } from "../../src/index.ts";
import { find, make, write } from "../page/element.ts";
import { LayerTable, type Stats } from "../page/layers.ts";
import { LossChart } from "../page/loss-chart.ts";
import { percent } from "../page/number.ts";
import { oddsOf } from "./odds.ts";
import { greyOf } from "./pixels.ts";
import type { Plan } from "./plan.ts";

/** What is seen after a step. */
export interface Look {
  readonly step: number;
  readonly rows: readonly Pick<
    LayerRow,
    "name" | "parameterCount" | "state" | "base" | "multiplier" | "lr" | "updates"
  >[];
  /** Of the step, once there is one. */
  readonly stats: readonly Pick<Stats["layers"][number], "name" | "ratio" | "gradient">[] | undefined;
  /** What the network says of each picture, [pictures, classes]. */
  readonly odds: readonly number[];
}

/** A run as it was seen. */
export interface Recorded {
  readonly day: string;
  readonly adapter: string;
  readonly plan: Plan;
  readonly names: readonly string[];
  /** Of each step. */
  readonly losses: readonly number[];
  readonly looks: readonly Look[];
  /** Bytes of 28 x 28 shades each, one of each class, in base64. */
  readonly pictures: string;
  readonly result: { readonly accuracy: number; readonly others: number; readonly seconds: number };
}

/** Milliseconds of a step: slow enough to be followed. */
const PACE = 120;

/** Shows the recording in the place of the workspace's own run. */
export function play({ day, adapter, names, losses, looks, pictures, result }: Recorded): void {
  const workspace = find("#workspace", HTMLElement);
  workspace.hidden = false;
  workspace.dataset.recorded = "";
  const bytes = Uint8Array.from(atob(pictures), (letter) => letter.charCodeAt(0));
  const bars = names.map(() => make("dl"));
  const shown = names.map((_, i) => make("li", "", greyOf(bytes, i), bars[i] as HTMLElement));
  const [again, status] = [make("button", "primary", "Play again"), make("p")];
  again.type = "button";
  status.setAttribute("role", "status");
  const title = make("h2", "", "A recorded run");
  title.id = "recorded-title";
  const panel = find("#recorded", HTMLElement);
  panel.replaceChildren(
    title,
    make(
      "p",
      "",
      `This is a recording: without WebGPU nothing can be trained in this browser. On ${day} DoodleNet, which others trained on drawings, learnt ${names.length} digits from ten examples each, in ${losses.length} steps on ${adapter}, at a rate for each layer. Chart, layers and odds are what the page showed.`,
    ),
    make("ul", "", ...shown),
    make("div", "buttons", again, status),
  );
  panel.hidden = false;
  const loss = find("#loss", HTMLElement);
  loss.replaceChildren(...[loss.firstElementChild as Element]); // the chart of the run that there is not
  const chart = new LossChart();
  const never = (): void => undefined;
  const table = new LayerTable({ setRate: never, setFrozen: never });
  table.build(looks[0]?.rows as LayerRow[]);

  const show = (step: number): void => {
    if (step > 0) chart.addStep(step, losses[step - 1] as number);
    chart.draw(losses.length);
    const look = looks.findLast((one) => one.step <= step) as Look;
    const layers = look.stats?.map((one) => ({ ...one, scale: 1 }));
    table.update(look.rows as LayerRow[], layers && ({ step: look.step, layers } as unknown as Stats), true);
    for (const [i, list] of bars.entries())
      list.replaceChildren(...oddsOf(names, look.odds.slice(i * names.length, (i + 1) * names.length)));
    const said =
      step < losses.length
        ? `Recorded step ${step} of ${losses.length}`
        : `Recorded: ${percent(result.accuracy)} of ${result.others} others right after ${step} steps in ${result.seconds} s.`;
    write(status, said);
  };
  let timer = 0;
  const begin = (): void => {
    clearInterval(timer);
    chart.clear();
    let step = 0;
    show(step);
    timer = window.setInterval(() => {
      show(++step);
      if (step === losses.length) clearInterval(timer);
    }, PACE);
  };
  again.addEventListener("click", begin);
  begin();
}
