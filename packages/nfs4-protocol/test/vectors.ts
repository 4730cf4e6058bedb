/*
 * Messages worked out by hand from the RFCs, word by word, so that they know nothing of our encoders. What follows "#" says what a
 * line is. Each was shown to tshark once, inside RPC and TCP.
 */

/** Turns annotated hexadecimal lines into bytes. */
function bytes(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, "").replace(/\s+/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** What a client of 4.1 sends all day. */
export const GETATTR_CALL: Uint8Array = bytes(`
  00000000                            # tag ""
  00000001                            # minor version 1
  00000003                            # 3 operations
  00000035                            # SEQUENCE (53)
    00112233 44556677 8899aabb ccddeeff   # session
    00000007                          #   sequence 7
    00000000 0000003f                 #   slot 0 of 63
    00000000                          #   need not be cached
  00000018                            # PUTROOTFH (24)
  00000009                            # GETATTR (9)
    00000002 0010011a 00b0a23a        #   what ls -l needs
`);

export const GETATTR_REPLY: Uint8Array = bytes(`
  00000000                            # NFS4_OK
  00000000                            # tag ""
  00000003                            # 3 results
  00000035 00000000                   # SEQUENCE: NFS4_OK
    00112233 44556677 8899aabb ccddeeff
    00000007                          #   sequence 7
    00000000 0000003f 0000003f        #   slot 0, highest 63, target 63
    00000080                          #   SEQ4_STATUS_LEASE_MOVED
  00000018 00000000                   # PUTROOTFH: NFS4_OK
  00000009 00000000                   # GETATTR: NFS4_OK
    00000002 0010011a 00b0a23a        #   attributes, and their bytes:
    00000080
    00000002                          #   type (1): directory
    7fffffff ffffffff                 #   change (3): 2^63 - 1
    00000000 00001000                 #   size (4): 4096
    00000000 00000001 00000000 00000002   # fsid (8): 1, 2
    80000000 00000001                 #   fileid (20): 2^63 + 1
    000001ed                          #   mode (33): 0755
    00000003                          #   numlinks (35): 3
    00000001 30000000                 #   owner (36): "0"
    00000004 31303030                 #   owner_group (37): "1000"
    00000000 00000000                 #   rawdev (41): 0, 0
    00000000 00001000                 #   space_used (45): 4096
    00000000 65000000 00000001        #   time_access (47): 1694498816 s 1 ns
    ffffffff ffffffff 3b9ac9ff        #   time_metadata (52): -1 s 999999999 ns
    00000000 65000001 00000000        #   time_modify (53): 1694498817 s
    00000000 00000001                 #   mounted_on_fileid (55): 1
`);

/** The first words of a 4.1 client. */
export const EXCHANGE_ID_CALL: Uint8Array = bytes(`
  00000003 61626300                   # tag "abc"
  00000001 00000001                   # minor version 1, 1 operation
  0000002a                            # EXCHANGE_ID (42)
    0102030405060708                  #   verifier
    00000005 636c693400 000000        #   owner "cli4\\0"
    00010101                          #   USE_NON_PNFS | BIND_PRINC_STATEID | SUPP_MOVED_REFER
    00000000                          #   SP4_NONE
    00000001                          #   implementation:
      0000000b 6b65726e656c2e6f726700 #     domain "kernel.org" with a NUL
      00
      00000005 4c696e7578000000       #     name "Linux"
      00000000 00000000 00000000      #     no date
`);

export const EXCHANGE_ID_REPLY: Uint8Array = bytes(`
  00000000 00000003 61626300 00000001 # NFS4_OK, tag "abc", 1 result
  0000002a 00000000                   # EXCHANGE_ID: NFS4_OK
    deadbeef 00000009                 #   clientid
    00000001                          #   sequence 1
    80010001                          #   CONFIRMED_R | USE_NON_PNFS | SUPP_MOVED_REFER
    00000001                          #   SP4_MACH_CRED
      00000001 00000200               #     must enforce: GETATTR (9)
      00000002 00000000 00200000      #     must allow: SEQUENCE (53)
    00000000 00000002                 #   server owner: minor 2
    00000004 73727634                 #     major "srv4"
    00000002 73630000                 #   scope "sc"
    00000000                          #   no implementation
`);

export const CREATE_SESSION_CALL: Uint8Array = bytes(`
  00000000 00000001 00000001
  0000002b                            # CREATE_SESSION (43)
    deadbeef 00000009                 #   clientid
    00000001                          #   sequence 1
    00000003                          #   PERSIST | CONN_BACK_CHAN
    00000000 00100400 00100400 00001800 00000008 00000040 00000000   # fore
    00000000 00001000 00001000 00000000 00000002 00000010            # back
    00000001 00000004                 #   with one ca_rdma_ird: 4
    40000000                          #   callback program
    00000002                          #   2 security parameters:
      00000000                        #     AUTH_NONE
      00000001                        #     AUTH_SYS
        00000539 00000005 6c6e783031000000   # stamp, machine "lnx01"
        000003e8 000003e8             #       uid, gid 1000
        00000002 0000000a 00000014    #       gids 10, 20
`);

/** 4.0: who the client is and where it takes callbacks. */
export const SETCLIENTID_CALL: Uint8Array = bytes(`
  00000000 00000000 00000001          # tag "", minor version 0, 1 operation
  00000023                            # SETCLIENTID (35)
    aabbccdd00112233                  #   verifier
    00000006 4c696e757821 0000        #   id "Linux!"
    40000000                          #   program
    00000003 74637000                 #   netid "tcp"
    00000010 31302e302e302e32 2e3133322e313230   # "10.0.0.2.132.120"
    00000001                          #   ident 1
`);

/** 4.0 answers that another principal has the name: the one failure of SETCLIENTID that says more. */
export const SETCLIENTID_IN_USE_REPLY: Uint8Array = bytes(`
  00002721 00000000 00000001          # NFS4ERR_CLID_INUSE (10017)
  00000023 00002721                   # SETCLIENTID: NFS4ERR_CLID_INUSE
    00000004 74637036                 #   "tcp6"
    00000009 3a3a312e302e313131 000000   # "::1.0.111"
`);

/** 4.1: create a file, and be told why there is no delegation. */
export const OPEN_CALL: Uint8Array = bytes(`
  00000000 00000001 00000002
  00000016 00000004 f0f1f2f3          # PUTFH (22) of 4 bytes
  00000012                            # OPEN (18)
    00000000                          #   seqid, unused
    00000403 00000000                 #   access BOTH | WANT_NO_DELEG, deny NONE
    00000000 00000000 00000007 6f70656e206964 00   # owner "open id"
    00000001 00000001                 #   CREATE, GUARDED
      00000002 00000000 00000002 00000004 000001a4   # mode (33) 0644
    00000000 00000003 e282ac 00       #   CLAIM_NULL, the name is a euro sign
`);

export const OPEN_REPLY: Uint8Array = bytes(`
  00000000 00000000 00000002
  00000016 00000000                   # PUTFH: NFS4_OK
  00000012 00000000                   # OPEN: NFS4_OK
    00000001 0102030405060708090a0b0c #   stateid
    00000001 00000000 00000001 00000000 00000002   # atomic, 1 before, 2 after
    00000024                          #   LOCKTYPE_POSIX | MAY_NOTIFY_LOCK
    00000002 00000000 00000002        #   mode was set
    00000003 00000002 00000001        #   no delegation: WND4_RESOURCE, will be signalled
`);

/** Two entries of a directory. */
export const READDIR_REPLY: Uint8Array = bytes(`
  00000000 00000000 00000001
  0000001a 00000000                   # READDIR (26): NFS4_OK
    0000000000000001                  #   verifier
    00000001                          #   an entry
      ffffffff fffffffe               #     cookie
      00000001 61000000               #     "a"
      00000001 00000802 00000008 00000001 00000000   # type (1) regular, rdattr_error (11) none
    00000001                          #   another
      00000000 00000003               #     cookie 3
      00000002 c3280000               #     two bytes that are not UTF-8
      00000000 00000000               #     no attributes
    00000000 00000001                 #   no more; end of the directory
`);

/** 4.0: a lock is in the way. */
export const LOCK_DENIED_REPLY: Uint8Array = bytes(`
  0000271a 00000000 00000001          # NFS4ERR_DENIED (10010)
  0000000c 0000271a                   # LOCK (12): NFS4ERR_DENIED
    00000000 00000010                 #   offset 16
    ffffffff ffffffff                 #   to the end
    00000002                          #   WRITE_LT
    00000001 00000002 00000001 78000000   # client (1, 2), owner "x"
`);

/** 4.2: data and a hole. */
export const READ_PLUS_REPLY: Uint8Array = bytes(`
  00000000 00000000 00000001
  00000044 00000000                   # READ_PLUS (68): NFS4_OK
    00000001 00000002                 #   end of file, 2 pieces
      00000000 00000000 00000000 00000003 01020300   # 3 bytes at 0
      00000001 00000000 00000003 00000001 00000000   # a hole of 2^32 at 3
`);

/** 4.1: the server asks for a delegation back. */
export const CB_RECALL_CALL: Uint8Array = bytes(`
  00000000 00000001 00000000 00000002 # tag "", minor version 1, ident 0, 2 operations
  0000000b                            # CB_SEQUENCE (11)
    00112233 44556677 8899aabb ccddeeff
    00000001 00000000 00000000        #   sequence 1, slot 0 of 0
    00000000                          #   need not be cached
    00000001                          #   a session with a referring call:
      00112233 44556677 8899aabb ccddeeff
      00000001 00000007 00000000      #     sequence 7 on slot 0
  00000004                            # CB_RECALL (4)
    00000002 0102030405060708090a0b0c #   stateid
    00000000                          #   not truncated
    00000004 f0f1f2f3                 #   filehandle
`);

export const CB_RECALL_REPLY: Uint8Array = bytes(`
  00002711 00000000 00000002          # NFS4ERR_BADHANDLE (10001)
  0000000b 00000000                   # CB_SEQUENCE: NFS4_OK
    00112233 44556677 8899aabb ccddeeff
    00000001 00000000 00000000 00000000
  00000004 00002711                   # CB_RECALL: NFS4ERR_BADHANDLE
`);
