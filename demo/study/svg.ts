// What the plots of the studies share: elements of SVG as text, their colours on light and on dark pages, and round numbers for an axis.

export const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--text) }
  svg {
    --paper: #ffffff; --text: #1f2328; --faint: #59636e; --line: #d8dee4; --band: #f6f8fa; --one: #6e7781; --dot: #0969da
  }
  @media (prefers-color-scheme: dark) {
    svg {
      --paper: #0d1117; --text: #e6edf3; --faint: #9198a1; --line: #30363d; --band: #151b23; --one: #9198a1; --dot: #58a6ff
    }
  }
  .paper { fill: var(--paper) } .band { fill: var(--band) } .grid { stroke: var(--line) }
  .title, .best { font-weight: 600 } .small { font-size: 11px; fill: var(--faint) }
  .end { text-anchor: end } .middle { text-anchor: middle }`;

const TICKS = 5;

export const at = (value: number): string => `${Number(value.toFixed(1))}`;

export function element(name: string, attributes: Readonly<Record<string, number | string>>, content = ""): string {
  const words = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === "number" ? at(value) : value}"`,
  );
  return content === "" ? `<${name}${words.join("")}/>` : `<${name}${words.join("")}>${content}</${name}>`;
}

export const text = (x: number, y: number, content: string, name = ""): string =>
  element("text", name === "" ? { x, y } : { x, y, class: name }, content);

/** Round numbers that divide a range into about TICKS parts. */
export function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) as number);
  const first = Math.ceil(low / unit - 1e-9);
  return Array.from({ length: Math.floor(high / unit + 1e-9) - first + 1 }, (_, i) => (first + i) * unit);
}
