/** From what was typed to a running server. */
import { type Flags, nameOfSetting, settingsFrom } from "./flags.ts";
import { serve } from "./serve.ts";
import { SettingsError } from "./settings-error.ts";

/** Serves until it is interrupted. `refuse` is told a mistake with its place, and ends the process. */
export async function run(
  directories: readonly string[],
  flags: Flags,
  refuse: (message: string) => never,
): Promise<void> {
  try {
    await serve(settingsFrom(directories, flags));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const where = nameOfSetting(error.key, { directories, flags });
    refuse(where === null ? error.message : `${where}: ${error.message}`);
  }
}
