// What is to be measured, in the form and in the address.

import { OptionError } from "../../src/index.ts";
import { type KernelName, kernelNames } from "../bench/kernels/names.ts";
import { type WorkloadName, workloadNames } from "../bench/workload.ts";
import { fromAddress, toAddress } from "../page/address.ts";
import { find, make } from "../page/element.ts";
import { showError } from "../page/notices.ts";

export interface Settings {
  readonly roofline: boolean;
  readonly workloads: readonly WorkloadName[];
  readonly kernels: readonly KernelName[];
  readonly rounds: number;
  readonly steps: number;
}

const names = ["roofline", ...workloadNames, ...kernelNames] as const;
type Name = (typeof names)[number];

/** What is chosen where nobody has: on a GPU this takes a minute. */
const usual: Readonly<Record<"gpu" | "software", readonly Name[]>> = {
  gpu: ["roofline", "mlp", "deep", "cnn", "gpt", "resnet", "vit", "lstm", "matmul"],
  software: ["roofline", "mlp", "deep", "cnn"],
};

const numbers = ["rounds", "steps"] as const;

/** Fills in what the address says, or what is usual; says in a notice what the address cannot have. */
export function beginSettings(software: boolean): void {
  const words = fromAddress("only")?.split(",");
  for (const word of words ?? []) {
    if (names.every((name) => name !== word))
      showError(new OptionError(`address: only=${word}: It is none of ${names.join(", ")}. This page leaves it out.`));
  }
  const chosen: readonly string[] = words ?? usual[software ? "software" : "gpu"];
  const boxes = names.map((name) => {
    const box = make("input");
    box.type = "checkbox";
    box.value = name;
    box.checked = chosen.includes(name);
    return make("label", "", box, name);
  });
  find("#choices", HTMLFieldSetElement).append(...boxes);
  for (const name of numbers) {
    const field = fieldOf(name);
    const said = fromAddress(name);
    const before = field.value;
    if (said === undefined) continue;
    field.value = said;
    if (field.value === said && field.checkValidity()) continue;
    const hint = field.validationMessage;
    field.value = before;
    showError(new OptionError(`address: ${name}=${said}: ${hint} This page has ${before} instead.`));
  }
  keepSettings();
}

const fieldOf = (name: (typeof numbers)[number]): HTMLInputElement => find(`[name="${name}"]`, HTMLInputElement);

const chosenNames = (): string[] =>
  [...document.querySelectorAll<HTMLInputElement>("#choices input")]
    .filter(({ checked }) => checked)
    .map(({ value }) => value);

/** As the form has them. */
export function settingsNow(): Settings {
  const chosen = chosenNames();
  return {
    roofline: chosen.includes("roofline"),
    workloads: workloadNames.filter((name) => chosen.includes(name)),
    kernels: kernelNames.filter((name) => chosen.includes(name)),
    rounds: Number(fieldOf("rounds").value),
    steps: Number(fieldOf("steps").value),
  };
}

/** Says them in the address. */
export function keepSettings(): void {
  const values = numbers.map((name) => [name, fieldOf(name).value] as const);
  // With nothing chosen the address must not fall back to what is usual.
  toAddress({ only: chosenNames().join() || "roofline", ...Object.fromEntries(values) });
}
