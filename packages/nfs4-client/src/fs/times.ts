import { type Fattr4Values, SET_TO_CLIENT_TIME4, SET_TO_SERVER_TIME4, type settime4 } from "@nfs4/protocol";
import type { DateObject } from "../adapters/date.ts";
import { invalidType } from "./argument-errors.ts";

/** Seconds as a number or digits, or a Date, as `utimes` takes them; as Node has it, a negative time is now. Throws a TypeError (ERR_INVALID_ARG_TYPE). */
function timeOf(time: number | string | DateObject): settime4 {
  const seconds = typeof time === "object" ? time.getTime() / 1000 : Number(time);
  if (!Number.isFinite(seconds)) throw invalidType("time", "of type number or string or an instance of Date", time);
  if (typeof time === "number" && seconds < 0) return { set_it: SET_TO_SERVER_TIME4 };
  const whole = Math.floor(seconds);
  // To the µs: a double has no more at this size.
  const nseconds = Math.min(999_999_999, Math.round((seconds - whole) * 1e6) * 1000);
  return { set_it: SET_TO_CLIENT_TIME4, time: { seconds: whole, nseconds } };
}

/** What `utimes` sets. */
export function timesOf(atime: number | string | DateObject, mtime: number | string | DateObject): Fattr4Values {
  return { time_access_set: timeOf(atime), time_modify_set: timeOf(mtime) };
}

const encoder = new TextEncoder();

/** −1 leaves an owner as it is. */
export function ownersOf(uid: number, gid: number): Fattr4Values {
  return {
    ...(uid === -1 || uid === 0xffff_ffff ? {} : { owner: encoder.encode(String(uid)) }),
    ...(gid === -1 || gid === 0xffff_ffff ? {} : { owner_group: encoder.encode(String(gid)) }),
  };
}
