/**
 * Time limits in the harness and in workloads are what is ample on a machine that does nothing else. Each is so many times longer, for machines that do: a limit
 * only ends what hangs, and judges nothing.
 */
export const PATIENCE = 4;
