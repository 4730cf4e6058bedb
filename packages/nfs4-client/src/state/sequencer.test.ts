import { NFS4_OK, NFS4_UINT32_MAX, NFS4ERR_BAD_STATEID, NFS4ERR_DELAY, NFS4ERR_GRACE } from "@nfs4/protocol";
import { expect, it } from "vitest";
import { Sequencer, seqidAfter } from "./sequencer.ts";

it("moves on with every answer but those that say that the owner was not looked at (RFC 7530 §9.1.7)", () => {
  const owner = new Sequencer(true);
  const seqids: number[] = [];
  for (const status of [NFS4_OK, NFS4ERR_DELAY, NFS4ERR_GRACE, NFS4ERR_BAD_STATEID, undefined, NFS4_OK]) {
    seqids.push(owner.seqid);
    owner.answered(status);
  }
  expect(seqids).toEqual([1, 2, 3, 4, 4, 4]);
  owner.beginAnew();
  expect(owner.seqid).toBe(1);
});

it("goes from the highest number to 1 (RFC 7530 §9.1.3)", () => {
  expect([1, NFS4_UINT32_MAX - 1, NFS4_UINT32_MAX].map(seqidAfter)).toEqual([2, NFS4_UINT32_MAX, 1]);
});

it("does not count since 4.1", () => {
  const owner = new Sequencer(false);
  owner.answered(NFS4_OK);
  expect(owner.seqid).toBe(0);
});
