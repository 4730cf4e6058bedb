import { it } from "vitest";
import { describeInNamespace } from "./in-namespace.ts";
import { SCENARIOS } from "./scenarios.ts";

describeInNamespace("our TCP and the kernel's, over a TUN", "./main.ts", (check) => {
  const families = ["IPv4", "IPv6"];
  const openers = ["we open", "the kernel opens"];
  for (const family of families) {
    for (const opener of openers) {
      for (const scenario of SCENARIOS) {
        it(`${scenario.name}, ${family}, ${opener}`, () => check(`${scenario.name}, ${family}, ${opener}`));
      }
      const bulk = SCENARIOS[0]!.name;
      it(`${bulk}, ${family}, ${opener}, segment by segment`, () =>
        check(`${bulk}, ${family}, ${opener}, without offload`));
      it(`${bulk}, ${family}, ${opener}, over a bad road: loss, reordering, duplicates, damage and delay both ways`, () =>
        check(`${bulk}, ${family}, ${opener}, over a bad road`));
    }
  }
});
