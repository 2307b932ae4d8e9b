// README's table of tasks says what the committed runs say. `npx vitest run --project node test/node/readme-tasks.test.ts -u` writes it anew.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tasksTable } from "../reference/tasks-table.ts";

const readme = readFileSync("README.md", "utf8");
/** From its head to its last row. */
const table = /^\| task .*(?:\n\|.*)+/m;

test("README's table of tasks is made of docs/tasks and docs/soak-tasks.json", async () => {
  expect(readme.match(new RegExp(table, "gm"))).toHaveLength(1);
  await expect(readme.replace(table, tasksTable)).toMatchFileSnapshot("../../README.md");
});

test("what a minute taught each task is what was asked of it", () => {
  const { tasks } = JSON.parse(readFileSync("docs/soak-tasks.json", "utf8"));
  expect(tasks.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
});
