import type { Case } from "./fs-table.ts";

/** What came of a case: its value, or what of its error programs look at. The directory is "@". */
export async function outcome<F>([, run]: Case<F>, fs: F, at: string): Promise<unknown> {
  try {
    return { value: await run(fs, at) };
  } catch (error) {
    const { name, code, errno, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string };
    const short = (text: string | undefined): string | undefined =>
      text?.replaceAll(at, "@").replace(/(tmp-)\w{6}/, "$1XXXXXX");
    // A class of errors of our own, but for what are mistakes of the caller.
    const kind = name === "NfsError" ? "Error" : name;
    return { kind, code, errno, syscall, path: short(path), dest: short(dest), message: short(message) };
  }
}
