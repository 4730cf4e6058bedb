/** Those that the tables set beside each other. */
export const ALGORITHMS: readonly string[] = ["newreno", "cubic", "bbr"];
