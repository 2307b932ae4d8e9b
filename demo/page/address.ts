// The settings in the page's address, so that a link leads to the same run.

/** What the address says of a setting. */
export const fromAddress = (name: string): string | undefined =>
  new URLSearchParams(location.search).get(name) ?? undefined;

/** Says settings in the address, beside those that it has; one without a value leaves it. */
export function toAddress(settings: Readonly<Record<string, string>>): void {
  const said = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(settings)) {
    if (value === "") said.delete(name);
    else said.set(name, value);
  }
  const next = `?${said}`;
  if (next !== location.search) history.replaceState(null, "", next + location.hash);
}
