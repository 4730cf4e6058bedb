/** Parts of pages in docs/ that are made from the code: they stand between two comments, and the rest is written by hand. */

/** The page with the part of that name replaced. Throws if the page has no such part. */
export function withPart(page: string, name: string, part: string): string {
  const begin = `<!-- ${name}: npm run pages -w packages/cli -->\n`;
  const end = `<!-- end of ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no part ${name}`);
  return `${page.slice(0, from + begin.length)}${part}${page.slice(to)}`;
}

/** A row of a Markdown table. */
export function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
}
