// The networks and the kernels side by side: the adapter first, then each of them in a fresh page, PyTorch in a process of its own.

import { AGREEMENT, agreement } from "../../demo/bench/agreement.ts";
import { kindOf } from "../../demo/bench/engine.ts";
import { kernelEngines, kernelTable } from "../../demo/bench/kernels/report.ts";
import { absent, type Row, table, timesOf } from "../../demo/bench/report.ts";
import { roofTable } from "../../demo/bench/roofline/roof.ts";
import { measureSeries } from "../../demo/bench/series.ts";
import { type WorkloadName, workloads } from "../../demo/bench/workload.ts";
import type { TrainingOptions } from "./options.ts";
import type { Place } from "./place.ts";
import { findPytorch, runPytorch } from "./pytorch.ts";

export async function training({ call, found, progress }: Place, chosen: TrainingOptions): Promise<void> {
  const { rounds, steps } = chosen;
  const engines = chosen.engines.filter((name) => name !== "pytorch");
  const wantsPython = chosen.engines.includes("pytorch") && chosen.workloads.length > 0;
  const python = wantsPython ? await findPytorch() : undefined;
  if (wantsPython && python === undefined) console.log("No python3 here imports torch: going on without PyTorch.");

  const network = async (workload: WorkloadName): Promise<Row[]> => {
    const measured: Row[] = [];
    if (engines.length > 0) {
      const task = { workload, engines, rounds, steps };
      measured.push(...(await call("measure", task)));
    }
    if (python !== undefined) {
      progress(`${workload}: pytorch`);
      measured.push(await native(python, workload, measured[0], { rounds, steps }));
    }
    return measured;
  };
  const beside = kernelEngines.filter((name) => chosen.engines.includes(name));
  await measureSeries(
    chosen,
    {
      network,
      roofline: () => call("measureRoof", { rounds }),
      kernel: (kernel) => call("measureKernels", { kernel, engines: beside, rounds }),
    },
    (data) => {
      const { roofline, rows, kernels } = data;
      const parts = [
        roofTable(roofline),
        rows.length > 0 ? table(rows) : "",
        absent(rows, engines),
        kernels.length > 0 ? kernelTable(kernels) : "",
      ];
      found({ text: parts.filter((part) => part !== "").join("\n\n"), data });
    },
  );
}

/** PyTorch's row, whose losses agree with those of the first in the page. */
async function native(
  python: string,
  workload: WorkloadName,
  first: Row | undefined,
  task: { readonly rounds: number; readonly steps: number },
): Promise<Row> {
  const checked = AGREEMENT.steps;
  const { losses, times, version, threads } = await runPytorch(python, workloads[workload], { ...task, checked });
  if (first !== undefined && kindOf(first.engine) === "all layers") {
    const { why } = agreement(
      workloads[workload],
      { name: first.engine, losses: first.losses },
      { name: "pytorch", losses },
    );
    if (why !== undefined) throw new Error(why);
  }
  return { workload, engine: "pytorch", backend: `${version}, ${threads} threads`, losses, ...timesOf(times) };
}
