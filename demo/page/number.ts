// Numbers as the page writes them, of constant width where they change, and the scale of the rate sliders.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Where a number is not known yet. */
export const NONE = "–";

export const whole = (value: number): string => grouped.format(value);
export const fraction = (value: number): string => (Number.isFinite(value) ? value.toFixed(4) : NONE);
export const percent = (value: number): string => (Number.isFinite(value) ? `${(value * 100).toFixed(2)} %` : NONE);
export const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MB`;

/** A learning rate, such as 5.00e-3. */
export const rate = (value: number): string => (value === 0 ? "0" : value.toExponential(2));

/** Seconds as 0:07, 12:30 or 1:02:03. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return NONE;
  const total = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** Sliders are logarithmic: positions 1 to 401 stand for 1e-5 to 1e-1, a hundred to a decade; position 0 is rate 0. */
export const LAST_POSITION = 401;

export const rateAt = (position: number): number =>
  position <= 0 ? 0 : Number((10 ** ((position - 1) / 100 - 5)).toPrecision(3));

/** The nearest position; a rate beyond the scale is at its end. */
export const positionOf = (value: number): number =>
  value <= 0 ? 0 : Math.min(LAST_POSITION, Math.max(1, Math.round((Math.log10(value) + 5) * 100) + 1));

/** Where |dw| / |w| stands on a scale from 1e-6 to 1e-1, from 0 to 1. */
export const ratioPart = (ratio: number): number =>
  ratio > 0 ? Math.min(1, Math.max(0, (Math.log10(ratio) + 6) / 5)) : 0;
