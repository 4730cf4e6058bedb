import { XdrError, XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import {
  beginCallbackCompoundCall,
  beginCompoundCall,
  beginCompoundReply,
  decodeCallbackCompoundCall,
  decodeCompoundCall,
  decodeCompoundReply,
  endCompoundReply,
} from "./compound.ts";
import { codec_CB_COMPOUND4args } from "./generated/cb-compound.ts";
import { codec_COMPOUND4args, codec_COMPOUND4res } from "./generated/compound.ts";
import { NFS4ERR_MINOR_VERS_MISMATCH } from "./generated/status.ts";

const TAG = Uint8Array.of(0x74, 0x61, 0x67, 0xff, 0x00);

function words(...values: number[]): XdrReader {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => {
    view.setUint32(4 * i, value);
  });
  return new XdrReader(new Uint8Array(view.buffer));
}

describe("COMPOUND's header", () => {
  it("is what COMPOUND4args begins with", () => {
    const writer = new XdrWriter();
    codec_COMPOUND4args.encode(writer, { tag: TAG, minorversion: 2, argarray: [{ argop: 24 }, { argop: 10 }] });
    const reader = new XdrReader(writer.bytes());
    expect(decodeCompoundCall(reader)).toEqual({ tag: TAG, minorVersion: 2, count: 2 });
    expect(reader.remaining).toBe(8);

    const ours = new XdrWriter();
    const countAt = beginCompoundCall(ours, TAG, 2);
    ours.uint32(24);
    ours.uint32(10);
    ours.patchUint32(countAt, 2);
    expect(ours.bytes()).toEqual(writer.bytes());
  });

  it("is what CB_COMPOUND4args begins with", () => {
    const writer = new XdrWriter();
    codec_CB_COMPOUND4args.encode(writer, { tag: TAG, minorversion: 0, callback_ident: 7, argarray: [] });
    expect(decodeCallbackCompoundCall(new XdrReader(writer.bytes()))).toEqual({
      tag: TAG,
      minorVersion: 0,
      callbackIdent: 7,
      count: 0,
    });
    const ours = new XdrWriter();
    beginCallbackCompoundCall(ours, TAG, 0, 7);
    expect(ours.bytes()).toEqual(writer.bytes());
  });

  it("is what COMPOUND4res begins with", () => {
    const writer = new XdrWriter();
    codec_COMPOUND4res.encode(writer, { status: NFS4ERR_MINOR_VERS_MISMATCH, tag: TAG, resarray: [] });
    expect(decodeCompoundReply(new XdrReader(writer.bytes()))).toEqual({
      status: NFS4ERR_MINOR_VERS_MISMATCH,
      tag: TAG,
      count: 0,
    });
    const ours = new XdrWriter();
    const places = beginCompoundReply(ours, TAG);
    endCompoundReply(ours, places, NFS4ERR_MINOR_VERS_MISMATCH, 0);
    expect(ours.bytes()).toEqual(writer.bytes());
  });

  it("refuses counts that the message cannot hold", () => {
    expect(decodeCompoundCall(words(0, 1, 2, 24, 24)).count).toBe(2);
    expect(() => decodeCompoundCall(words(0, 1, 3, 24, 24))).toThrow(XdrError);
    expect(() => decodeCompoundCall(words(0, 1, 0xffff_ffff, 24))).toThrow(XdrError);
    expect(() => decodeCompoundCall(words(0xffff_fff0, 1, 1))).toThrow(XdrError);
    expect(() => decodeCompoundReply(words(0, 0, 2, 24, 0, 24))).toThrow(XdrError);
  });
});
