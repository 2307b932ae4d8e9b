// The page: opens a session, lets the user run, pause and reset it, and paints what it tells about eight times a second.

import { DeviceError } from "../../src/index.ts";
import { Controls, type Phase } from "./controls.ts";
import { Curves } from "./curves.ts";
import { find, make } from "./element.ts";
import { Figures, Pace } from "./figures.ts";
import { LayerTable } from "./layers.ts";
import { catchTheRest, clearErrors, showError, showUnsupported } from "./notices.ts";
import { whole } from "./number.ts";
import { Predictions } from "./predictions.ts";
import { type Listener, Session } from "./session.ts";
import { StepList } from "./step-list.ts";

/** Milliseconds between paintings: often enough to be live, seldom enough to be read. */
const REST = 120;
/** Images to begin with where a CPU does the work of a GPU. */
const FEW = 6000;

catchTheRest();
const controls = new Controls({ run: () => void run(), reset: begin, change: begin });
const layers = new LayerTable({
  setRate: (layer, rate) => change(({ trainer }) => trainer.rates.set(layer, rate)),
  setFrozen: (layer, frozen) => change(({ trainer }) => (frozen ? trainer.freeze(layer) : trainer.unfreeze(layer))),
});
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
/** Settles when training rests. */
let training = Promise.resolve();
/** Settles when the session is open. */
let opening = Promise.resolve();
begin();

function enter(next: Phase, words: string): void {
  if (next === phase && words === said) return;
  [phase, said] = [next, words];
  controls.show(phase, said);
}

/** A new session on the present settings, after the one before has ended. */
function begin(): void {
  opening = opening.then(async () => {
    session?.pause();
    enter("loading", "Building the network …");
    await training.catch(() => undefined); // was shown when it came
    session?.dispose();
    session = undefined;
    clearErrors();
    try {
      session = await Session.open(controls.settings());
      if (session.trainer.software && controls.propose(FEW)) {
        session.dispose();
        session = await Session.open(controls.settings());
      }
      await predictions.clear();
    } catch (error) {
      fail(error);
      return;
    }
    show(session);
    enter("ready", "Ready");
  });
}

function fail(error: unknown): void {
  if (error instanceof DeviceError && session === undefined) showUnsupported(error);
  else showError(error);
  enter("failed", "Not ready: see the message above, then reset.");
}

/** What only a new session changes, and everything else. */
function show({ trainer, factor }: Session): void {
  const software = make("span", "badge software", "software: a CPU, no GPU");
  const name = trainer.adapter.replace(/ \(software\)$/, "");
  find("#adapter", HTMLElement).replaceChildren(name, ...(trainer.software ? [software] : []));
  [step, test] = [0, Number.NaN];
  curves.clear();
  pace.clear();
  layers.build(trainer.rates.table(), factor);
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

const listener: Listener = {
  onStep(result) {
    if (phase === "training") enter("training", "Training");
    step = result.step;
    curves.addStep(step, result.loss, result.accuracy);
    pace.add(result);
  },
  onEpoch({ validation }) {
    test = validation?.accuracy ?? Number.NaN;
    curves.addTest(test);
    pace.pause(); // the test takes time in which no step is made
  },
};

/** A change of the user's to the rates. */
function change(act: (current: Session) => void): void {
  if (session === undefined) return;
  try {
    act(session);
    paint();
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
  const { trainer, stepsPlanned, epoch } = session;
  layers.update(trainer.rates.table());
  const dispatches = stepList.show(trainer);
  figures.show({ step, stepsPlanned, epoch, ...curves.latest, test, pace: pace.perSecond, dispatches });
  curves.draw(stepsPlanned);
}
