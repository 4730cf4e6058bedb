/** From the negative errno numbers of the addon to names. */
import { errnoName } from "@nfs4/native";
import { type Errno, errnoOfThrown } from "../errno.ts";

const known = new Map<number, Errno>();

/** The name of a failed call's result. What NFS has no word for is "EIO". */
export function errnoOf(result: number): Errno {
  let name = known.get(result);
  if (name === undefined) {
    const code = errnoName(result);
    name = code === "EOPNOTSUPP" ? "ENOTSUP" : (errnoOfThrown({ code }) ?? "EIO");
    known.set(result, name);
  }
  return name;
}

/** Nothing, or the name of the error: for calls whose result says no more. */
export function done(result: number): Errno | undefined {
  return result < 0 ? errnoOf(result) : undefined;
}
