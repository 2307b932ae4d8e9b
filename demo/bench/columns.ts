// Rows as aligned text.

export const digits = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  /** Words stand left in their column, numbers right. */
  readonly words?: true;
}

/** Rows as text under titles, column by column. */
export function aligned<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const texts = columns.map(({ title, cell, words }) => {
    const cells = [title, ...rows.map(cell)];
    const width = Math.max(...cells.map((text) => text.length));
    return cells.map((text) => (words ? text.padEnd(width) : text.padStart(width)));
  });
  return ["", ...rows].map((_, line) => texts.map((column) => column[line]).join("  ")).join("\n");
}
