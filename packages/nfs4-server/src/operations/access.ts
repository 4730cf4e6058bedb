/** ACCESS (RFC 8881 §18.1): what the caller may do, by POSIX permission and the export's mode. */
import {
  ACCESS4_DELETE,
  ACCESS4_EXECUTE,
  ACCESS4_EXTEND,
  ACCESS4_LOOKUP,
  ACCESS4_MODIFY,
  ACCESS4_READ,
  type ACCESS4args,
  type ACCESS4res,
  NFS4_OK,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { MAY_EXECUTE, MAY_READ, MAY_WRITE } from "../filesystem/types.ts";

export const access: Handler<ACCESS4args, ACCESS4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { fileSystem, readOnly } = current.export;
  const caller = context.caller(current.export);
  return onAnswer(fileSystem.getattr(current.node, caller), ({ type }) => {
    const directory = type === "directory";
    // DELETE is about names within a directory; EXECUTE about files, LOOKUP about directories.
    const supported =
      args.access &
      (ACCESS4_READ |
        ACCESS4_MODIFY |
        ACCESS4_EXTEND |
        (directory ? ACCESS4_LOOKUP | ACCESS4_DELETE : ACCESS4_EXECUTE));
    return onAnswer(
      fileSystem.access?.(current.node, MAY_READ | MAY_WRITE | MAY_EXECUTE, caller) ?? 7,
      (bits): ACCESS4res => {
        let granted = 0;
        if (bits & MAY_READ) granted |= ACCESS4_READ;
        if (bits & MAY_EXECUTE) granted |= ACCESS4_LOOKUP | ACCESS4_EXECUTE;
        if (bits & MAY_WRITE && !readOnly) granted |= ACCESS4_MODIFY | ACCESS4_EXTEND;
        if (bits & MAY_WRITE && (!directory || bits & MAY_EXECUTE) && !readOnly) granted |= ACCESS4_DELETE;
        if (directory && !(bits & MAY_EXECUTE)) granted &= ~(ACCESS4_MODIFY | ACCESS4_EXTEND);
        return { status: NFS4_OK, resok4: { supported, access: granted & supported } };
      },
    );
  });
};
