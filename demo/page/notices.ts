// What went wrong, in words on the page: errors as notices that can be dismissed, and a panel instead of the page where
// there is no WebGPU.

import type { DeviceError } from "../../src/index.ts";
import { find, make } from "./element.ts";

/** Shows an error until it is dismissed. The same error is shown once. */
export function showError(error: unknown): void {
  const notices = find("#notices", HTMLDivElement);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const text = make("p", "", make("strong", "", name), " ", message);
  if ([...notices.children].some((notice) => notice.firstElementChild?.textContent === text.textContent)) return;
  const dismiss = make("button", "", "Dismiss");
  dismiss.type = "button";
  const notice = make("div", "notice", text, dismiss);
  dismiss.addEventListener("click", () => notice.remove());
  notices.append(notice);
}

export function clearErrors(): void {
  find("#notices", HTMLDivElement).replaceChildren();
}

/** Errors that nobody caught must not end in the console alone. */
export function catchTheRest(): void {
  window.addEventListener("error", ({ error, message }) => showError(error ?? message));
  window.addEventListener("unhandledrejection", ({ reason }) => showError(reason));
}

/** The panel for a browser without WebGPU, or without an adapter for it; what needs them is hidden. */
export function showUnsupported(error?: DeviceError): void {
  const missing = navigator.gpu === undefined;
  const title = make("h2", "", missing ? "WebGPU is missing in this browser" : "WebGPU has no adapter here");
  title.id = "unsupported-title";
  const again = make("button", "primary", "Try again");
  again.type = "button";
  again.addEventListener("click", () => location.reload());
  const steps = make("ul", "", ...advice(missing).map((line) => make("li", "", ...code(line))));
  const panel = find("#unsupported", HTMLElement);
  panel.replaceChildren(title, make("p", "", "Gradus trains on the GPU, through WebGPU. What you can do:"), steps);
  panel.append(...(error ? [make("p", "said", `The engine says: ${error.message}`)] : []), again);
  panel.hidden = false;
  const workspace = document.querySelector<HTMLElement>("#workspace");
  if (workspace !== null) workspace.hidden = true;
  find("#adapter", HTMLElement).textContent = "No GPU";
}

function advice(missing: boolean): string[] {
  if (missing && !window.isSecureContext) {
    return [
      "Browsers offer WebGPU on `https://` and on `localhost` only. Open this page as `http://localhost`, on the machine that serves it.",
    ];
  }
  if (missing) {
    return [
      "Use a current Chrome or Edge (113 or newer), Safari 26, or Firefox 141 or newer.",
      "Chrome or Chromium on Linux: start it with `--enable-unsafe-webgpu --enable-features=Vulkan`.",
    ];
  }
  return [
    "Turn on graphics acceleration in the browser's settings, and update the graphics driver. `chrome://gpu` says what is blocked.",
    "Chrome or Chromium on Linux: start it with `--enable-unsafe-webgpu --enable-features=Vulkan`.",
    "No GPU at all: start Chrome with `--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader`. The CPU then does the work.",
  ];
}

/** A line in which `words` between backticks are code. */
function code(line: string): (Node | string)[] {
  return line.split("`").map((part, i) => (i % 2 === 1 ? make("code", "", part) : part));
}
