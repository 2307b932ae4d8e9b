// The page of the benchmark: the rows of `npm run bench`, by the same code, on the visitor's adapter.

import { connect } from "../../src/gpu/device.ts";
import { DeviceError } from "../../src/index.ts";
import { create } from "../bench/gradus.ts";
import { raceKernels } from "../bench/kernels/race.ts";
import { groupsOf, plot } from "../bench/plot.ts";
import type { Progress } from "../bench/progress.ts";
import { race } from "../bench/race.ts";
import type { Findings, Report } from "../bench/report.ts";
import { measureRoof } from "../bench/roofline/measure.ts";
import { measureSeries } from "../bench/series.ts";
import { find, make, write } from "../page/element.ts";
import { catchTheRest, clearErrors, showError, showUnsupported } from "../page/notices.ts";
import { showRows } from "./rows.ts";
import { beginSettings, keepSettings, settingsNow } from "./settings.ts";

/** Which version of the engine the pages were built from. */
declare const COMMIT: string;

/** Thrown where a measurement is told where it stands, after the button was pressed. */
const STOPPED = new Error("stopped");

const button = find("#run", HTMLButtonElement);
const copy = find("#copy", HTMLButtonElement);
const status = find("#status", HTMLParagraphElement);
const bar = find("#progress", HTMLProgressElement);
const fields = [find("#settings", HTMLFieldSetElement), find("#choices", HTMLFieldSetElement)];

let adapter = "";
let running = false;
let stopping = false;
let findings: Findings = { roofline: [], rows: [], kernels: [] };

const report = (): Report => ({
  date: new Date().toISOString(),
  commit: COMMIT,
  browser: navigator.userAgent,
  adapter,
  ...findings,
});

/** An image, so that its colours are its own; they are those of `npm run bench`. */
function showBars(): void {
  const host = find("#bars", HTMLDivElement);
  const groups = groupsOf(findings);
  const before = host.querySelector("img");
  if (before !== null) URL.revokeObjectURL(before.src);
  if (groups.length === 0) {
    host.replaceChildren("Bars come with the first row that has a roofline.");
    return;
  }
  const image = make("img");
  image.alt = groups
    .flatMap(({ title, bars }) => bars.map(({ value }) => `${title} ${value.toFixed(2)} times its roofline`))
    .join(", ");
  const drawing = plot(groups, Math.max(280, Math.min(host.clientWidth, 900)));
  image.src = URL.createObjectURL(new Blob([drawing], { type: "image/svg+xml" }));
  host.replaceChildren(image);
}

function show(next: Findings): void {
  findings = next;
  showRows(findings);
  showBars();
  const has = Object.values(findings).some(({ length }) => length > 0);
  copy.setAttribute("aria-disabled", String(!has));
  write(find("#json", HTMLPreElement), has ? JSON.stringify(report(), null, 2) : "");
}

function enter(now: boolean, words: string): void {
  running = now;
  write(button, running ? "Stop" : "Start");
  write(status, words);
  for (const field of fields) field.disabled = running;
}

async function run(): Promise<void> {
  const { roofline, workloads, kernels, rounds, steps } = settingsNow();
  const total = (roofline ? 1 : 0) + workloads.length + kernels.length;
  if (total === 0) {
    write(status, "Nothing is chosen: choose a row.");
    return;
  }
  stopping = false;
  clearErrors();
  show({ roofline: [], rows: [], kernels: [] });
  let done = 0;
  bar.value = 0;
  enter(true, "Measuring …");
  const progress: Progress = async (line) => {
    if (stopping) throw STOPPED;
    write(status, line);
    await new Promise((resolve) => setTimeout(resolve)); // for the page to be painted, and the button to be heard
  };
  const part = async <T>(work: () => Promise<T>): Promise<T> => {
    await progress("Measuring …");
    const made = await work();
    done++;
    bar.value = done / total;
    return made;
  };
  try {
    await measureSeries(
      { workloads, kernels },
      {
        roofline: async () => (roofline ? part(() => measureRoof({ rounds }, progress)) : []),
        network: (workload) =>
          part(() =>
            race({ workload, engines: ["gradus"], rounds, steps }, { gradus: async () => ({ create }) }, progress),
          ),
        kernel: (kernel) => part(() => raceKernels({ kernel, engines: ["gradus"], rounds }, {}, progress)),
      },
      show,
    );
    enter(false, "Finished");
  } catch (error) {
    enter(false, "Stopped");
    if (error !== STOPPED) showError(error);
  }
}

find("#controls", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  if (button.ariaDisabled === "true") return;
  if (!running) void run();
  else {
    stopping = true;
    write(status, "Stopping after this block …");
  }
});
for (const field of fields) field.addEventListener("change", keepSettings);
copy.addEventListener("click", async () => {
  if (copy.ariaDisabled === "true") return;
  try {
    await navigator.clipboard.writeText(JSON.stringify(report(), null, 2));
    write(status, "The JSON is in the clipboard.");
  } catch (error) {
    showError(error); // it stands below, too
  }
});
addEventListener("resize", showBars);

catchTheRest();
try {
  const gpu = await connect();
  const badge = make("span", "badge software", "software: a CPU, no GPU");
  adapter = gpu.adapter.replace(/ \(software\)$/, "");
  find("#adapter", HTMLElement).replaceChildren(adapter, ...(gpu.software ? [badge] : []));
  beginSettings(gpu.software);
  const { software } = gpu;
  gpu.dispose();
  show(findings);
  button.setAttribute("aria-disabled", "false");
  enter(false, software ? "Ready. This adapter is a CPU: its times say nothing of a GPU." : "Ready");
} catch (error) {
  if (error instanceof DeviceError) showUnsupported(error);
  else showError(error);
}
