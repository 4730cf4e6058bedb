/** Writes the parts of docs/cli.md and docs/sysctls-and-counters.md that are made from the code. */
import { writePages } from "../test/pages/pages.ts";

await writePages();
