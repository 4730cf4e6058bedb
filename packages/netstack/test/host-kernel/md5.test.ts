import { it } from "vitest";
import { describeInNamespace } from "./in-namespace.ts";
import { MD5_SCENARIOS } from "./md5-scenarios.ts";

describeInNamespace("signed connections with the kernel's TCP_MD5SIG, over a TUN", "./md5-main.ts", (check) => {
  for (const family of ["IPv4", "IPv6"]) {
    for (const opener of ["we open", "the kernel opens"]) {
      for (const scenario of MD5_SCENARIOS) {
        const name = `${scenario}, ${family}, ${opener}`;
        it(name, () => check(name));
      }
    }
  }
});
