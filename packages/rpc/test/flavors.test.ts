import type { ByteSink, ByteStream, Slice } from "@nfs4/bytestream";
import { XdrError, XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import type { AuthFlavorClient, AuthFlavorServer, CallSecurity, UnauthenticatedCall } from "../src/auth/flavor.ts";
import { authNoneServer } from "../src/auth/none.ts";
import { AuthFlavor, AuthStat } from "../src/constants.ts";
import type { RpcError } from "../src/errors.ts";
import type { CallHeader } from "../src/message.ts";
import { Conversation, ECHO, echoRequest, Procedure } from "./harness.ts";

/**
 * A flavor of the shape of RPCSEC_GSS (RFC 2203), with exclusive or for cryptography: contexts are made by a procedure of the flavor's own,
 * calls carry a handle and a sequence number, their header is signed, and bodies are wrapped both ways.
 */
const TOY = 0x7001;
const INIT = 1;
const DATA = 0;

const scramble = (bytes: Uint8Array, key: number): Uint8Array => bytes.map((byte) => byte ^ key);
const sum = (bytes: Uint8Array, key: number): number => bytes.reduce((total, byte) => (total * 31 + byte) >>> 0, key);

function toyServer(): AuthFlavorServer & { readonly seen: Set<number> } {
  const keys: number[] = [];
  const seen = new Set<number>();
  const authenticate = (call: UnauthenticatedCall, header: CallHeader) => {
    const body = new XdrReader(
      call.message,
      header.credentialOffset,
      header.credentialOffset + header.credentialLength,
    );
    const [kind, handle, sequence] = [body.uint32(), body.uint32(), body.uint32()];
    if (kind === INIT) {
      const key = call.args.uint32();
      call.secure({ credential: nobody, verifier: { flavor: TOY, body: Uint8Array.of(key) } });
      call.reply((writer) => writer.uint32(keys.push(key) - 1));
      return "answered" as const;
    }
    const key = keys[handle];
    if (key === undefined) return { reject: AuthStat.RPCSEC_GSS_CREDPROBLEM };
    const covered = call.message.subarray(0, header.verifierOffset - 8);
    const verifier = new XdrReader(call.message, header.verifierOffset, header.verifierOffset + header.verifierLength);
    if (header.verifierLength !== 4 || verifier.uint32() !== sum(covered, key))
      return { reject: AuthStat.AUTH_BADVERF };
    if (seen.has(sequence)) return "drop" as const;
    seen.add(sequence);
    const security: CallSecurity = {
      credential: { ...nobody, principal: `user${handle}` },
      verifier: { flavor: TOY, body: Uint8Array.of(sequence ^ key) },
      unwrapArgs: (args) => {
        const plain = scramble(args.opaque(), key);
        if (plain[0] !== 1) return null;
        return new XdrReader(plain, 4);
      },
      wrapResults: (results, writer) => writer.opaque(scramble(results, key)),
    };
    return security;
  };
  return { flavor: TOY, seen, authenticator: () => ({ authenticate }) };
}

const nobody = { flavor: TOY, uid: 0, gid: 0, gids: [], machineName: "" };

function toyClient(key: number, options: { readonly wrongSum?: boolean; readonly wrongMagic?: boolean } = {}) {
  let handle: number | undefined;
  let sequence = 0;
  const client: AuthFlavorClient & {
    handle: () => number | undefined;
    setHandle: (to: number) => void;
    repeat: () => void;
  } = {
    flavor: TOY,
    handle: () => handle,
    setHandle: (to) => {
      handle = to;
    },
    repeat: () => {
      sequence--;
    },
    begin: ({ xid, program, version, procedure }) => {
      const number = sequence++;
      const credential = (writer: XdrWriter): void => {
        for (const word of [TOY, 12, handle === undefined ? INIT : DATA, handle ?? 0, number]) writer.uint32(word);
      };
      const covered = (): Uint8Array => {
        const words = [
          xid,
          0,
          2,
          program,
          version,
          procedure,
          TOY,
          12,
          handle === undefined ? INIT : DATA,
          handle ?? 0,
          number,
        ];
        const bytes = new Uint8Array(4 * words.length);
        for (const [i, word] of words.entries()) new DataView(bytes.buffer).setUint32(4 * i, word);
        return bytes;
      };
      const initial = handle === undefined;
      return {
        writeCredential: credential,
        writeVerifier: (writer) => {
          writer.uint32(TOY);
          if (initial) return writer.uint32(0);
          writer.uint32(4);
          writer.uint32(options.wrongSum ? 1 : sum(covered(), key));
        },
        ...(initial
          ? {}
          : {
              wrapArgs: (encode: (writer: XdrWriter) => void, writer: XdrWriter) => {
                const plain = new XdrWriter();
                plain.uint32(options.wrongMagic ? 0 : 1 << 24);
                encode(plain);
                writer.opaque(scramble(plain.bytes(), key));
              },
              unwrapResults: (results: XdrReader) => new XdrReader(scramble(results.opaque(), key)),
            }),
        checkVerifier: (flavor, body) => flavor === TOY && body[0] === ((initial ? key : number ^ key) & 255),
      };
    },
  };
  return client;
}

const data = Uint8Array.of(1, 2, 3, 4, 5);

async function established(options: Parameters<typeof toyClient>[1] = {}) {
  const flavor = toyServer();
  const talk = new Conversation({ server: { flavors: [flavor, authNoneServer] } });
  const credential = toyClient(0x5c, options);
  const init = { program: ECHO, version: 2, procedure: 0, credential };
  const handle = await talk.run(
    talk.client
      .call({ ...init, encode: (writer) => writer.uint32(0x5c), decode: (reader) => reader.uint32() })
      .catch((e) => e),
  );
  return { talk, credential, handle, flavor };
}

describe("a flavor with contexts, verifiers and wrapping", () => {
  it("answers for itself, then protects calls and replies of every kind", async () => {
    // The arguments of INIT go plain, those of calls wrapped.
    const { talk, credential, handle } = await established();
    expect(handle).toBe(0);
    credential.setHandle(0);
    for (const procedure of [Procedure.ECHO, Procedure.LATER]) {
      expect(await talk.run(talk.client.call({ ...echoRequest(data, procedure), credential }))).toEqual(data);
    }
    const large = new Uint8Array(100_000).fill(9);
    const answer = await talk.run(talk.client.call({ ...echoRequest(large), credential }));
    expect(Buffer.compare(answer, large)).toBe(0);
    // The other flavor goes on beside it.
    expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
    await talk.finish();
  });

  it("refuses an unknown context, a bad verifier and bad arguments, each in its way", async () => {
    const cases = [
      [{}, 7, "RPC_AUTH_ERROR", AuthStat.RPCSEC_GSS_CREDPROBLEM],
      [{ wrongSum: true }, 0, "RPC_AUTH_ERROR", AuthStat.AUTH_BADVERF],
    ] as const;
    for (const [options, handle, code, authStat] of cases) {
      const { talk, credential } = await established(options);
      credential.setHandle(handle);
      const error = await talk.run(talk.client.call({ ...echoRequest(data), credential }).catch((e: RpcError) => e));
      expect(error).toMatchObject({ code, authStat });
      await talk.finish();
    }
    const { talk, credential } = await established({ wrongMagic: true });
    credential.setHandle(0);
    const failure = talk.client.call({ ...echoRequest(data), credential }).catch((e: RpcError) => e.code);
    // GARBAGE_ARGS comes with the context's verifier, so it can be believed.
    expect(await talk.run(failure)).toBe("RPC_GARBAGE_ARGS");
    await talk.finish();
  });

  it("drops a call whose sequence number it has seen", async () => {
    const { talk, credential, flavor } = await established();
    credential.setHandle(0);
    await talk.run(talk.client.call({ ...echoRequest(data), credential }));
    credential.repeat();
    const failure = talk.client
      .call({ ...echoRequest(data), credential, timeoutMs: 100 })
      .catch((e: RpcError) => e.code);
    expect(await talk.run(failure)).toBe("RPC_TIMEOUT");
    expect([talk.server.counters.callsDropped, flavor.seen.size]).toEqual([1, 1]);
    await talk.finish();
  });

  it("is not the end of the server when it throws", async () => {
    const flavor: AuthFlavorServer = {
      flavor: 0,
      authenticator: () => ({
        authenticate: () => {
          throw new TypeError("a bug");
        },
      }),
    };
    const talk = new Conversation({ server: { flavors: [flavor] } });
    const failure = talk.client.call(echoRequest(data)).catch((e: RpcError) => e.code);
    expect(await talk.run(failure)).toBe("RPC_SYSTEM_ERR");
    await talk.finish();
  });

  it("refuses wrapped arguments that throw", async () => {
    const security: CallSecurity = {
      credential: nobody,
      verifier: null,
      unwrapArgs: () => {
        throw new XdrError("XDR_VALUE", 0, "no");
      },
    };
    const flavor: AuthFlavorServer = { flavor: 0, authenticator: () => ({ authenticate: () => security }) };
    const talk = new Conversation({ server: { flavors: [flavor] } });
    const failure = talk.client.call(echoRequest(data)).catch((e: RpcError) => e.code);
    expect(await talk.run(failure)).toBe("RPC_GARBAGE_ARGS");
    await talk.finish();
  });
});

/** Stands in for TLS: everything is XORed with a key, after a "handshake" of nothing. */
function veiled(inner: ByteStream, key: number): ByteStream {
  let sink: ByteSink | null = null;
  inner.setSink({
    data: (slab, offset, length) => sink?.data(scramble(slab.subarray(offset, offset + length), key), 0, length) ?? 0,
    end: () => sink?.end(),
  });
  return {
    localAddress: inner.localAddress,
    peerAddress: inner.peerAddress,
    highWater: inner.highWater,
    get queued() {
      return inner.queued;
    },
    onDrain: null,
    closed: inner.closed,
    setSink: (to) => {
      sink = to;
      inner.resume();
    },
    resume: () => inner.resume(),
    write: (slices: readonly Slice[]) => {
      const copies = slices.map(({ bytes }) => ({ bytes: scramble(bytes, key) }));
      const queued = inner.write(copies);
      for (const { release } of slices) release?.();
      return queued;
    },
    shutdown: () => inner.shutdown(),
    abort: (reason) => inner.abort(reason),
  };
}

/** The server's side of the AUTH_TLS probe (RFC 9289 §4.1). */
const authTlsServer: AuthFlavorServer = {
  flavor: AuthFlavor.AUTH_TLS,
  authenticator: () => ({
    authenticate: (call, header) => {
      if (call.procedure !== 0 || header.credentialLength !== 0 || call.connection.upgraded) {
        return { reject: AuthStat.AUTH_BADCRED };
      }
      call.secure({ credential: nobody, verifier: { flavor: 0, body: new TextEncoder().encode("STARTTLS") } });
      call.reply(() => {});
      call.connection.upgrade((stream) => veiled(stream, 0x33));
      return "answered";
    },
  }),
};

const authTls: AuthFlavorClient = {
  flavor: AuthFlavor.AUTH_TLS,
  begin: () => ({
    writeCredential: (writer) => {
      writer.uint32(AuthFlavor.AUTH_TLS);
      writer.uint32(0);
    },
    writeVerifier: (writer) => writer.uint64Number(0),
    checkVerifier: (flavor, body) => flavor === 0 && new TextDecoder().decode(body) === "STARTTLS",
  }),
};

describe("a stream upgraded in place (RFC 9289 §4.1)", () => {
  it("goes on under another stream after the probe's reply, in both directions", async () => {
    const talk = new Conversation({ server: { flavors: [authTlsServer, authNoneServer] } });
    const probe = { program: ECHO, version: 2, procedure: 0, credential: authTls };
    await talk.run(talk.client.call(probe));
    talk.client.connection.upgrade((stream) => veiled(stream, 0x33));
    const large = new Uint8Array(300_000).fill(3);
    expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
    expect((await talk.run(talk.client.call(echoRequest(large)))).length).toBe(large.length);
    expect([talk.connection.upgraded, talk.client.connection.upgraded]).toEqual([true, true]);
    const again = await talk.run(talk.client.call(probe).catch((error: RpcError) => error));
    expect(again).toMatchObject({ code: "RPC_AUTH_ERROR", authStat: AuthStat.AUTH_BADCRED });
    await talk.finish();
  });
});
