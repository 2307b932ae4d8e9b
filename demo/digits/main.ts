// The page of the digits: what a session tells goes to the charts and figures, and what the user does to the session. A run can
// be exported and made again.

import { type Link, linkTo, readLink, type Timeline } from "../../src/branches/index.ts";
import { Controls } from "../page/controls.ts";
import { find } from "../page/element.ts";
import { Figures, Pace } from "../page/figures.ts";
import { LayerTable, type Stats } from "../page/layers.ts";
import { LossChart, Smooth } from "../page/loss-chart.ts";
import { catchTheRest, showError } from "../page/notices.ts";
import { fraction, percent, rate, whole } from "../page/number.ts";
import { Player } from "../page/player.ts";
import { StepList } from "../page/step-list.ts";
import { AccuracyChart } from "./accuracy-chart.ts";
import { Branching, type Wish } from "./branching.ts";
import { Changes } from "./changes.ts";
import { Predictions } from "./predictions.ts";
import { controllers } from "./preset.ts";
import { PresetMenu } from "./preset-menu.ts";
import { RatePlan } from "./rate-plan.ts";
import { download, parseRecord, type RunRecord } from "./run-record.ts";
import { type Listener, Session, type Settings, type Start } from "./session.ts";

/** Images to begin with where a CPU does the work of a GPU. */
const FEW = 6000;

catchTheRest();
const controllerMenu = find("#control", HTMLSelectElement);
controllerMenu.replaceChildren(...Object.keys(controllers).map((name) => new Option(name)));
controllerMenu.addEventListener("change", () => void compileAnew());
const controls = new Controls({
  run: () => void player.toggle(),
  reset: () => void begin(),
  change: () => void begin(),
});
const layers = new LayerTable({
  setRate: (layer, rate) => change(({ trainer }) => trainer.rates.set(layer, rate), undefined),
  setFrozen: (layer, frozen) =>
    change(({ trainer }) => (frozen ? trainer.rates.freeze(layer) : trainer.rates.unfreeze(layer)), undefined),
});
const menu = new PresetMenu((preset) => change((session) => session.choose(preset), preset));
const changes = new Changes({
  save: () => void attempt(() => player.atRest(async () => download(await recordOf(player.run)))),
  replay: () => void begin(async (before) => ({ record: await recordOf(before) })),
  replayFile: (text) => void attempt(() => replay(parseRecord(text))),
});
const plan = new RatePlan();
const branching = new Branching({
  look: (step) => void travel(lookAt(step)),
  branch: (wish) => void travel(branch(wish)),
});
const [losses, accuracies] = [new LossChart(), new AccuracyChart()];
const figures = new Figures({
  step: "Step",
  epoch: "Epoch",
  loss: "Training loss",
  accuracy: "Training accuracy",
  test: "Test accuracy",
  speed: "Images per second",
  left: "Time left",
  dispatches: "Dispatches per step",
});
const predictions = new Predictions();
const stepList = new StepList();
const pace = new Pace();

let step = 0;
let test = Number.NaN;
let stats: Stats | undefined;
/** Whether the test digits show another time, which the next look at them must leave. */
let elsewhere = false;

const replaying = (): boolean => player.run?.replayed !== undefined;
/** Whether the rates are not the user's to change: they come from a log, or training is in another time. */
const locked = (): boolean => replaying() || player.run?.journey !== undefined;

const listener: Listener = {
  onStep(result) {
    player.say(player.run?.journey ? "Following the link" : replaying() ? "Replaying" : "Training");
    step = result.step;
    losses.addStep(step, result.loss);
    branching.addStep(result.loss);
    accuracies.addStep(step, result.accuracy);
    pace.add(result.samples);
  },
  onStats(found) {
    stats = found;
  },
  onEpoch({ validation }) {
    test = validation?.accuracy ?? Number.NaN;
    accuracies.addTest(test);
    pace.pause(); // the test takes time in which no step is made
  },
};

const player = new Player<Session, Start>({
  controls,
  async open(start) {
    let session = await Session.open(controls.settings<Settings>(), start, listener);
    if (
      session.trainer.software &&
      start.record === undefined &&
      start.link === undefined &&
      controls.propose("images", FEW)
    ) {
      session.dispose();
      session = await Session.open(controls.settings<Settings>(), start, listener);
    }
    await predictions.clear();
    const chosen = menu.chosen ?? session.preset;
    if (session.preset !== undefined && chosen !== session.preset) session.choose(chosen ?? "");
    return session;
  },
  opened({ trainer }) {
    [step, test, stats] = [0, Number.NaN, undefined];
    for (const one of [losses, accuracies, plan, pace]) one.clear();
    changes.tell(replaying() ? "Under replay: the changes come from the log, and the controls are locked." : "");
    const rows = trainer.rates.table();
    layers.build(rows);
    branching.clear(rows.map(({ name }) => name));
  },
  async look({ trainer }) {
    if (!elsewhere) await predictions.read(trainer);
    elsewhere = false;
  },
  rested: conclude,
  paint,
});
const LINK = "#branch=";
addEventListener("hashchange", () => void beginByAddress());
void beginByAddress();

/** A link leads to the branch that it holds, any other address to a new run. */
async function beginByAddress(): Promise<void> {
  if (!location.hash.startsWith(LINK)) return begin();
  let link: Link;
  try {
    link = readLink(location.hash.slice(LINK.length));
    controls.fill(Object(link.recipe));
  } catch (error) {
    await begin();
    showError(error);
    return;
  }
  await begin(() => ({ link }));
  await travel(goBy(link));
}

async function begin(prepare: (before: Session | undefined) => Promise<Start> | Start = () => ({})): Promise<void> {
  pace.pause();
  await player.begin(async (before) => {
    const start = await prepare(before);
    if (start.link === undefined) sayBranch("");
    return start;
  });
  if (replaying()) await player.toggle();
}

/** The weights' hash where training rests; at the end of a replay it is held against the one of the record. */
async function conclude(session: Session): Promise<void> {
  pace.pause();
  const { replayed, trainer, finished } = session;
  if (replayed !== undefined && !finished) return;
  const hash = await session.hash();
  const steps = `${whole(trainer.steps)} steps`;
  session.replayed = undefined;
  if (replayed === undefined) changes.tell(`${steps}, weights ${hash}.`);
  else if (hash === replayed.hash) changes.tell(`Replay of ${steps}: same bits, weights ${hash}.`, "same");
  else changes.tell(`Replay of ${steps}: other bits, weights ${hash} instead of ${replayed.hash}.`, "other");
}

/** The branch that the address holds. */
const sayBranch = (link: string): void =>
  history.replaceState(null, "", location.pathname + location.search + (link && LINK + link));

/** Does something in another time, and comes back; training rests then. */
async function travel(journey: (session: Session) => Promise<void>): Promise<void> {
  const { run } = player;
  if (run === undefined || locked()) return;
  const goesOn = player.training;
  await player.atRest(() => {
    run.journey ??= async () => {
      pace.pause();
      await journey(run);
      player.say("Coming back");
      await run.comeBack();
      if (player.training) void player.toggle();
    };
  });
  if (!goesOn) await player.toggle();
}

/** What the network read after a step. */
const lookAt =
  (step: number) =>
  async ({ timeline, trainer }: Session): Promise<void> => {
    player.say("Going back");
    const place = timeline.at(step);
    const made = await place.visit();
    await predictions.read(trainer);
    elsewhere = true;
    branching.tell(
      `After step ${whole(step)}: what it read is below. ${whole(made)} steps were made again, from the snapshot after step ${whole(place.snapshot)}.`,
    );
  };

/** The same steps with another rate of a layer. */
const branch =
  ({ step, layer, lr }: Wish) =>
  async ({ timeline, settings, sharable }: Session): Promise<void> => {
    player.say("Going back");
    branching.leave(step);
    branching.tell("");
    const other = await timeline.at(step).branch([{ kind: "set", pattern: layer, change: { lr } }], {
      onStep({ loss }) {
        player.say("Branching");
        branching.addOther(loss);
      },
    });
    const said = `${layer} at ${rate(lr)} after step ${whole(step)}: ${futures(timeline, other)}. ${whole(other.replayed)} steps made again.`;
    if (!sharable) {
      branching.tell(`${said} This run began with weights of another one, which no link holds: export it instead.`);
      return;
    }
    const link = await linkTo(other, settings);
    sayBranch(link);
    branching.tell(
      `${said} Weights ${await other.hash()}; the address is a link to both, of ${whole(link.length)} letters.`,
    );
  };

/** All that a link tells of: the run and its branch. */
const goBy =
  (link: Link) =>
  async (session: Session): Promise<void> => {
    let on = 0;
    const { timeline, same } = await session.follow(link, (step, line) => {
      if (line === 0) return void listener.onStep(step);
      if (line !== on) branching.leave(link.lines[line]?.from ?? 0);
      on = line;
      player.say("Following the link");
      branching.addOther(step.loss);
    });
    const hash = await timeline.hash();
    const what = `Link of ${whole(timeline.steps)} steps: ${futures(session.timeline, timeline)}.`;
    if (timeline.steps < (link.lines.at(-1)?.to ?? 0)) branching.tell(`${what} It was stopped on the way.`);
    else if (same) branching.tell(`${what} Same bits, weights ${hash}.`, "same");
    else
      branching.tell(
        `${what} Other bits, weights ${hash} instead of ${link.hash}: other adapters and browsers round otherwise.`,
        "other",
      );
  };

/** The smoothed losses of two futures, where the other one ends. */
function futures(timeline: Timeline, other: Timeline): string {
  const [went, would] = [timeline, other].map((one) => {
    const smooth = new Smooth();
    return one
      .losses()
      .slice(0, other.steps)
      .reduce((_, loss) => smooth.add(loss), Number.NaN);
  });
  return `loss ${fraction(would ?? Number.NaN)} beside ${fraction(went ?? Number.NaN)} after step ${whole(other.steps)}`;
}

/** A change of the user's to the rates, after which a preset holds or none does. */
function change(act: (session: Session) => void, preset: string | undefined): void {
  player.change((session) => {
    act(session);
    session.preset = preset;
  });
}

/** A controller is compiled in: another one means a new run, from the weights as they are. */
async function compileAnew(): Promise<void> {
  const [goOn, steps] = [player.training, step];
  await begin((before) => (steps > 0 && before !== undefined ? before.handOver() : {}));
  if (steps > 0) changes.tell(`A new run, from the weights after step ${whole(steps)} of the one before.`);
  if (goOn) await player.toggle();
}

async function recordOf(session: Session | undefined): Promise<RunRecord> {
  if (session === undefined || session.trainer.steps === 0) throw new Error("There is no run yet. Press Start first.");
  return session.record();
}

function replay(record: RunRecord): Promise<void> {
  controls.fill(record.settings);
  return begin(() => ({ record }));
}

async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    showError(error);
  }
}

function paint(session: Session): void {
  const { trainer, stepsPlanned, epoch, preset } = session;
  const rows = trainer.rates.table();
  layers.update(rows, stats, locked());
  menu.show(preset, locked());
  controllerMenu.disabled = locked();
  plan.draw(session, rows);
  changes.show(trainer.rates.edits());
  changes.enable(step > 0);
  figures.show(
    { step, stepsPlanned, pace: pace.perSecond },
    {
      epoch: `${epoch.current} / ${epoch.planned}`,
      loss: fraction(losses.latest()),
      accuracy: percent(accuracies.latest),
      test: percent(test),
      dispatches: whole(stepList.show(trainer)),
    },
  );
  losses.draw(stepsPlanned);
  accuracies.draw(stepsPlanned);
  branching.draw(stepsPlanned, !locked());
}
