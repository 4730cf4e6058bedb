/** What `nfs4 serve` is told, from flags and a configuration file, checked in one place: whatever is wrong is said with its place. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";

const squash = z.enum(["root", "all", "none"]);

const exportSchema = z.strictObject({
  /** What is served: a directory, or nothing yet but memory. */
  directory: z.string().min(1).optional(),
  memory: z.boolean().optional(),
  /** Where clients see it. */
  path: z.string().startsWith("/").optional(),
  readOnly: z.boolean().optional(),
  squash: squash.optional(),
  anonymousUid: z.int().min(0).max(0xffff_fffe).optional(),
  anonymousGid: z.int().min(0).max(0xffff_fffe).optional(),
  clients: z.array(z.string()).min(1).optional(),
});

const cidr = z
  .string()
  .regex(/^[0-9a-fA-F:.]+\/\d{1,3}$/, "must be an address with its prefix length, such as 10.0.0.2/24");

const fileSchema = z.strictObject({
  exports: z.array(exportSchema).min(1).optional(),
  transport: z.enum(["tun", "tap", "host", "uml", "qemu"]).optional(),
  /** host: the address to listen on. tun, tap, uml, qemu: the stack's own, with prefix length. */
  address: z.string().optional(),
  address6: cidr.optional(),
  gateway: z.string().optional(),
  device: z.string().min(1).max(15).optional(),
  bridge: z.string().min(1).max(15).optional(),
  socket: z.string().min(1).optional(),
  mtu: z.int().min(1280).max(65_535).optional(),
  port: z.int().min(1).max(65_535).optional(),
  stateDirectory: z.string().min(1).optional(),
  leaseSeconds: z.int().min(1).max(3600).optional(),
  graceSeconds: z.int().min(1).max(3600).optional(),
  stopSeconds: z.int().min(0).max(600).optional(),
  pcap: z.string().min(1).optional(),
  admin: z
    .union([z.literal(false), z.string().regex(/^(?:[^:]+|\[[^\]]+\]):\d{1,5}$/, "must be address:port, or false")])
    .optional(),
});

export type ExportSettings = z.infer<typeof exportSchema>;
export type Settings = z.infer<typeof fileSchema>;

/** A mistake of whoever started the command: shown without a stack trace. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Reads a configuration file (JSON). Relative paths in it are relative to the working directory. */
export function readSettingsFile(file: string): Settings {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new SettingsError(`cannot read the configuration file ${file}: ${(error as Error).message}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(`${file} is not JSON: ${(error as Error).message}`);
  }
  return check(parsed, file);
}

/** Checks settings from anywhere; `where` names them in messages. */
export function check(settings: unknown, where: string): Settings {
  const result = fileSchema.safeParse(settings);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `  ${path.length > 0 ? path.join(".") : "(top)"}: ${message}`,
  );
  throw new SettingsError(`${where}:\n${problems.join("\n")}`);
}

/** The exports as they will be served: at least one, each with a path and something behind it. */
export function completeExports(settings: Settings): (ExportSettings & { readonly path: string })[] {
  const exports = settings.exports ?? [{ directory: "." }];
  const paths = new Set<string>();
  return exports.map((one, index) => {
    const path =
      one.path ??
      (exports.length === 1
        ? "/"
        : `/${resolve(one.directory ?? `memory${index}`)
            .split("/")
            .at(-1)}`);
    if (one.memory === true && one.directory !== undefined)
      throw new SettingsError(`exports.${index}: either a directory or memory`);
    if (one.memory !== true && one.directory === undefined)
      throw new SettingsError(`exports.${index}: it needs a directory, or "memory": true`);
    if (paths.has(path)) throw new SettingsError(`exports.${index}: two exports at ${path}; give one another "path"`);
    paths.add(path);
    return { ...one, path };
  });
}
