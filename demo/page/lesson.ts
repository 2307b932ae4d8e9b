// What the pages share that show one network at work: controls, the table of its layers, the chart of its losses, and figures. A
// page says what is learned, and shows what comes of it.

import { Controls } from "./controls.ts";
import { Figures, Pace } from "./figures.ts";
import type { Listener } from "./fit-run.ts";
import { groupedRows, groupedStats } from "./layer-groups.ts";
import { LayerTable, type Stats } from "./layers.ts";
import { LossChart } from "./loss-chart.ts";
import { catchTheRest } from "./notices.ts";
import { fraction, whole } from "./number.ts";
import { Player, type Run } from "./player.ts";
import { StepList } from "./step-list.ts";

export interface PlannedRun extends Run {
  readonly stepsPlanned: number;
}

/** Who hears of what a run does. */
export interface Told extends Listener {
  /** A loss for each name of the lesson, of one step. */
  onLosses(step: number, samples: number, ...losses: readonly number[]): void;
}

/** `S`: the settings of the page's form. */
export interface Lesson<R extends PlannedRun, S extends object> {
  /** What a sample is called, in the plural. */
  readonly samples: string;
  /** Names of the losses, where there are several. */
  readonly losses?: readonly string[];
  /** Whether the table has a row for each first part of the layers' names instead of each layer. */
  readonly grouped?: boolean;
  /** Settings that are less where a CPU does the work of a GPU. */
  readonly software: Partial<S>;
  /** Settings are those of the form. */
  open(settings: S, told: Told): Promise<R>;
  /** A new run is open: nothing of the one before is to be seen. */
  opened?(run: R): void;
  /** Shows what the network makes now. */
  look(run: R): Promise<void>;
  /** Training rests, by the user's hand or as all is done: time for what takes longer than a few steps. */
  rested?(run: R): Promise<void>;
  /** There is no GPU to train on; the page says so already. */
  unsupported?(): Promise<void>;
}

/** What a page may ask of its run. */
export interface Taught {
  /** A new run, on the settings as they are. */
  begin(): void;
  /** Does something while training rests, and goes on. */
  atRest(act: () => Promise<void>): Promise<void>;
}

/** Starts the page. */
export function teach<R extends PlannedRun, S extends object>(lesson: Lesson<R, S>): Taught {
  const { samples, losses = [], grouped = false } = lesson;
  catchTheRest();
  const controls = new Controls({
    run: () => void player.toggle(),
    reset: () => void player.begin(() => undefined),
    change: () => void player.begin(() => undefined),
  });
  const layers = new LayerTable({
    setRate: (layer, rate) => player.change(({ trainer }) => trainer.rates.set(layer, rate)),
    setFrozen: (layer, frozen) =>
      player.change(({ trainer }) => (frozen ? trainer.rates.freeze(layer) : trainer.rates.unfreeze(layer))),
  });
  const chart = new LossChart(...losses);
  const figures = new Figures({
    step: "Step",
    ...Object.fromEntries((losses.length > 0 ? losses : ["Loss"]).map((name, i) => [`loss${i}`, name])),
    speed: `${samples} per second`,
    left: "Time left",
    dispatches: "Dispatches per step",
  });
  const stepList = new StepList();
  const pace = new Pace();
  const tableOf = ({ trainer }: R) => (grouped ? groupedRows(trainer.rates.table()) : trainer.rates.table());
  let step = 0;
  let stats: Stats | undefined;

  const told: Told = {
    onLosses(now, count, ...found) {
      player.say("Training");
      step = now;
      chart.addStep(now, ...found);
      pace.add(count);
    },
    onStep: (result) => told.onLosses(result.step, result.samples, result.loss),
    onStats(found) {
      stats = grouped ? groupedStats(found) : found;
    },
  };

  const player = new Player<R, undefined>({
    controls,
    async open() {
      const run = await lesson.open(controls.settings<S>(), told);
      if (!run.trainer.software) return run;
      const less = Object.entries<unknown>(lesson.software).filter(([name, most]) =>
        controls.propose(name, Number(most)),
      );
      if (less.length === 0) return run;
      run.dispose();
      return lesson.open(controls.settings<S>(), told);
    },
    opened(run) {
      [step, stats] = [0, undefined];
      chart.clear();
      pace.clear();
      layers.build(tableOf(run));
      lesson.opened?.(run);
    },
    async look(run) {
      pace.pause(); // looking takes time in which no step is made
      player.paint();
      await lesson.look(run);
    },
    ...(lesson.rested && { rested: lesson.rested }),
    ...(lesson.unsupported && { unsupported: lesson.unsupported }),
    paint(run) {
      const { trainer, stepsPlanned } = run;
      layers.update(tableOf(run), stats, false);
      figures.show(
        { step, stepsPlanned, pace: pace.perSecond },
        {
          ...Object.fromEntries(
            (losses.length > 0 ? losses : [""]).map((_, i) => [`loss${i}`, fraction(chart.latest(i))]),
          ),
          dispatches: whole(stepList.show(trainer)),
        },
      );
      chart.draw(stepsPlanned);
    },
  });
  void player.begin(() => undefined);
  return {
    begin: () => void player.begin(() => undefined),
    atRest: (act) => player.atRest(act),
  };
}
