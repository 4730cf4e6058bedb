/** Writes docs/coverage.md. */
import { writeFileSync } from "node:fs";
import { page } from "../test/coverage-page/page.ts";

writeFileSync(new URL("../../../docs/coverage.md", import.meta.url), page());
