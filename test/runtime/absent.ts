// In the place of packages that a machine without any does not have: the command that runs the tests in Node needs none.

export const chromium = undefined;
export const build = undefined;
export const createServer = undefined;
export default undefined;
