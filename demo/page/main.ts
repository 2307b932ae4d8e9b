// The page: opens a session, lets the user run, pause, steer, reset and repeat it, and paints what it tells about eight
// times a second.

import { DeviceError } from "../../src/index.ts";
import { Changes } from "./changes.ts";
import { Controls, type Phase } from "./controls.ts";
import { Curves } from "./curves.ts";
import { find, make } from "./element.ts";
import { Figures, Pace } from "./figures.ts";
import { LayerTable, type Stats } from "./layers.ts";
import { catchTheRest, clearErrors, showError, showUnsupported } from "./notices.ts";
import { whole } from "./number.ts";
import { Predictions } from "./predictions.ts";
import { PresetMenu } from "./preset-menu.ts";
import { RatePlan } from "./rate-plan.ts";
import { download, parseRecord, type RunRecord } from "./run-record.ts";
import { type Listener, Session, type Start } from "./session.ts";
import { StepList } from "./step-list.ts";

/** Milliseconds between paintings: often enough to be live, seldom enough to be read. */
const REST = 120;
/** Images to begin with where a CPU does the work of a GPU. */
const FEW = 6000;

catchTheRest();
const controls = new Controls({
  run: () => void run(),
  reset: () => begin(),
  change: () => begin(),
  control: () => void compileAnew(),
});
const layers = new LayerTable({
  setRate: (layer, rate) => change(({ trainer }) => trainer.rates.set(layer, rate), undefined),
  setFrozen: (layer, frozen) =>
    change(({ trainer }) => (frozen ? trainer.rates.freeze(layer) : trainer.rates.unfreeze(layer)), undefined),
});
const menu = new PresetMenu((preset) => change((current) => current.choose(preset), preset));
const changes = new Changes({
  save: () => void attempt(save),
  replay: () => begin(async (before) => ({ record: await recordOf(before) })),
  replayFile: (text) => void attempt(() => replay(parseRecord(text))),
});
const plan = new RatePlan();
const curves = new Curves();
const figures = new Figures();
const predictions = new Predictions();
const stepList = new StepList();
const pace = new Pace();

let session: Session | undefined;
let phase: Phase = "loading";
let said = "";
let step = 0;
let test = Number.NaN;
let stats: Stats | undefined;
/** Settles when training rests. */
let training = Promise.resolve();
/** Settles when the session is open. */
let opening = Promise.resolve();
begin();

const replaying = (): boolean => session?.replayed !== undefined;

function enter(next: Phase, words: string): void {
  if (next === phase && words === said) return;
  [phase, said] = [next, words];
  controls.show(phase, said, replaying());
}

/** A new session on the present settings, after the one before has ended, which may give it something to begin with. */
function begin(prepare: (before: Session | undefined) => Promise<Start> | Start = () => ({})): void {
  opening = opening.then(async () => {
    session?.pause();
    enter("loading", "Building the network …");
    await training.catch(() => undefined); // was shown when it came
    const before = session;
    session = undefined;
    clearErrors();
    try {
      const start = await prepare(before);
      before?.dispose();
      session = await Session.open(controls.settings(), start);
      if (session.trainer.software && start.record === undefined && controls.propose(FEW)) {
        session.dispose();
        session = await Session.open(controls.settings(), start);
      }
      await predictions.clear();
      const chosen = menu.chosen ?? session.preset;
      if (session.preset !== undefined && chosen !== session.preset) session.choose(chosen ?? "");
    } catch (error) {
      fail(error);
      return;
    }
    show(session);
    enter("ready", "Ready");
    if (session.replayed !== undefined) void run();
  });
}

function fail(error: unknown): void {
  if (error instanceof DeviceError && session === undefined) showUnsupported(error);
  else showError(error);
  enter("failed", "Not ready: see the message above, then reset.");
}

/** What only a new session changes, and everything else. */
function show({ trainer }: Session): void {
  const software = make("span", "badge software", "software: a CPU, no GPU");
  const name = trainer.adapter.replace(/ \(software\)$/, "");
  find("#adapter", HTMLElement).replaceChildren(name, ...(trainer.software ? [software] : []));
  [step, test, stats] = [0, Number.NaN, undefined];
  curves.clear();
  plan.clear();
  pace.clear();
  changes.tell(replaying() ? "Under replay: the changes come from the log, and the controls are locked." : "");
  layers.build(trainer.rates.table());
  paint();
}

async function run(): Promise<void> {
  if (phase === "training") {
    enter("pausing", "Pausing …");
    session?.pause();
    return;
  }
  await opening; // settings that have just been changed
  if (session !== undefined && ["ready", "paused", "finished"].includes(phase)) training = train(session);
}

async function train(current: Session): Promise<void> {
  clearErrors();
  enter("training", "Compiling the shaders …");
  requestAnimationFrame(keepPainting);
  pace.pause();
  try {
    do {
      await current.runEpoch(listener);
      await predictions.read(current.trainer);
    } while (phase === "training" && !current.finished);
    if (phase === "loading") return;
    await conclude(current);
    if (current.finished) enter("finished", "Finished");
    else enter("paused", `Paused after step ${whole(current.trainer.steps)}`);
  } catch (error) {
    showError(error);
    if (error instanceof DeviceError) enter("failed", "Stopped: see the message above, then reset.");
    else enter("paused", "Stopped: see the message above.");
  } finally {
    paint();
  }
}

/** The weights' hash where training rests; at the end of a replay it is held against the one of the record. */
async function conclude(current: Session): Promise<void> {
  const { replayed, trainer, finished } = current;
  if (replayed !== undefined && !finished) return;
  const hash = await current.hash();
  const steps = `${whole(trainer.steps)} steps`;
  current.replayed = undefined;
  if (replayed === undefined) changes.tell(`${steps}, weights ${hash}.`);
  else if (hash === replayed.hash) changes.tell(`Replay of ${steps}: same bits, weights ${hash}.`, "same");
  else changes.tell(`Replay of ${steps}: other bits, weights ${hash} instead of ${replayed.hash}.`, "other");
}

const listener: Listener = {
  onStep(result) {
    if (phase === "training") enter("training", replaying() ? "Replaying" : "Training");
    step = result.step;
    curves.addStep(step, result.loss, result.accuracy);
    pace.add(result);
  },
  onStats(found) {
    stats = found;
  },
  onEpoch({ validation }) {
    test = validation?.accuracy ?? Number.NaN;
    curves.addTest(test);
    pace.pause(); // the test takes time in which no step is made
  },
};

/** A change of the user's to the rates, after which a preset holds or none does. */
function change(act: (current: Session) => void, preset: string | undefined): void {
  if (session === undefined) return;
  try {
    act(session);
    session.preset = preset;
  } catch (error) {
    showError(error);
  }
  paint(); // also where it was refused: the controls show what is
}

/** A controller is compiled in: another one means a new run, from the weights as they are. */
async function compileAnew(): Promise<void> {
  const [goOn, steps] = [phase === "training", step];
  begin((before) => (steps > 0 && before !== undefined ? before.handOver() : {}));
  await opening;
  if (steps > 0) changes.tell(`A new run, from the weights after step ${whole(steps)} of the one before.`);
  if (goOn) await run();
}

async function recordOf(current: Session | undefined): Promise<RunRecord> {
  if (current === undefined || current.trainer.steps === 0) throw new Error("There is no run yet. Press Start first.");
  return current.record();
}

/** Hands out the run; training pauses for it. */
async function save(): Promise<void> {
  const goOn = phase === "training";
  if (goOn) await run();
  await training.catch(() => undefined);
  download(await recordOf(session));
  if (goOn) await run();
}

function replay(record: RunRecord): void {
  controls.fill(record.settings);
  begin(() => ({ record }));
}

async function attempt(act: () => void | Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    showError(error);
  }
}

let painted = 0;
function keepPainting(now: number): void {
  if (phase !== "training" && phase !== "pausing") return;
  if (now - painted > REST) {
    painted = now;
    paint();
  }
  requestAnimationFrame(keepPainting);
}

function paint(): void {
  if (session === undefined) return;
  const { trainer, stepsPlanned, epoch, preset } = session;
  const rows = trainer.rates.table();
  layers.update(rows, stats, replaying());
  menu.show(preset, replaying());
  plan.draw(session, rows);
  changes.show(trainer.rates.edits());
  changes.enable(step > 0);
  const dispatches = stepList.show(trainer);
  figures.show({ step, stepsPlanned, epoch, ...curves.latest, test, pace: pace.perSecond, dispatches });
  curves.draw(stepsPlanned);
}
