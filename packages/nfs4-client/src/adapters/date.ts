/** `Date`, which elsewhere is forbidden with all else that could ask what time it is. */
export type DateObject = Date;

/** Dates of times that a server has told, for `Stats`: nothing here asks what time it is. */
export function dateOf(ms: number): Date {
  return new Date(ms);
}
