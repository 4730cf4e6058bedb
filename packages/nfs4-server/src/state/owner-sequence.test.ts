import { NFS4_OK, NFS4ERR_BAD_SEQID, OP_OPEN } from "@nfs4/protocol";
import { expect, it } from "vitest";
import { OwnerSequence } from "./owner-sequence.ts";

it("goes from the highest number to 1 (RFC 7530 §9.1.3), or to 0, as Linux has it", () => {
  const sequence = new OwnerSequence(true);
  const judge = (seqid: number): string | number => {
    const verdict = sequence.admit(seqid, OP_OPEN);
    if (verdict.kind === "error") return verdict.status;
    if (verdict.kind === "new") sequence.finish(seqid, OP_OPEN, NFS4_OK, null, null);
    return verdict.kind;
  };
  expect([0xffff_fffe, 0xffff_ffff, 2, 1, 1, 2].map(judge)).toEqual([
    "new",
    "new",
    NFS4ERR_BAD_SEQID,
    "new",
    "replay",
    "new",
  ]);
  sequence.beginAnew();
  expect([0xffff_ffff, 0, 1].map(judge)).toEqual(["new", "new", "new"]);
});
