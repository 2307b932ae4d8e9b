// What tests import as "vitest" where they run in a bundle: the runner and the matchers are Vitest's own, in any runtime.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { getCurrentTest } from "@vitest/runner";
import { snapshotMatchers } from "./snapshot.ts";

export { afterAll, afterEach, beforeAll, beforeEach, describe, test } from "@vitest/runner";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers, snapshotMatchers]) chai.use(plugin);

chai.config.truncateThreshold = 2000;

type Expect = ((value: unknown, message?: string) => unknown) & { extend(matchers: object): void };

const asserted = (value: unknown, message?: string): unknown => {
  const made = chai.expect(value, message) as unknown as { withTest(test: unknown): unknown };
  const current = getCurrentTest();
  return current === undefined ? made : made.withTest(current);
};
export const expect = Object.assign(
  asserted,
  chai.expect,
  Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT),
) as Expect;
expect.extend = (matchers) => (chai.expect as unknown as { extend(...all: unknown[]): void }).extend(expect, matchers);
setState({ ...getState(expect as never), assertionCalls: 0 }, expect as never);
Reflect.set(globalThis, GLOBAL_EXPECT, expect);
expect.extend(customMatchers);
