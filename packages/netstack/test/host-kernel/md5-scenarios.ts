/** What is tried with the kernel's TCP_MD5SIG, over either family and whoever opens. */
export const MD5_SCENARIOS = [
  "bulk both ways, contents compared, every signature valid to tcpdump",
  "a reset without a signature does not end it",
  "a wrong key never connects",
  "no key on our side never connects",
  "no key on the kernel's side never connects",
] as const;

export type Md5Scenario = (typeof MD5_SCENARIOS)[number];
