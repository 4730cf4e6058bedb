/**
 * Stands, in the type of an enum tagged `@open`, for all values that the enum does not list. The value at run time is any 32-bit integer;
 * that TypeScript takes it for a single literal lets it tell the arms of a union apart. Any `number` can be assigned to it.
 */
export declare enum UnlistedValue {
  value = -2147483649,
}
