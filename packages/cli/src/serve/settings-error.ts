/**
 * A mistake of whoever started the command, or something that the machine refuses: told in one line, without a stack trace. `key` is the setting at
 * fault as a path ("exports.0.path"), null if none is; whoever shows it knows whether that came from a flag or a file.
 */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly key: string | null;

  constructor(key: string | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.key = key;
  }
}

/** What a caught value has to say. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error ("ENOENT"), or undefined. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
