/**
 * The attributes of a node as the wire names them. Each is worked out only when the encoder asks for it: a GETATTR of three attributes costs three
 * getters.
 */
import {
  type Bitmap,
  type Fattr4Values,
  FSCHARSET_CAP4_CONTAINS_NON_UTF8,
  type fattr4_type,
  type fsid4,
  NF4BLK,
  NF4CHR,
  NF4DIR,
  NF4FIFO,
  NF4LNK,
  NF4REG,
  NF4SOCK,
  NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR,
  type nfstime4,
  type specdata4,
} from "@nfs4/protocol";
import type { NodeReference } from "../filehandle/node-reference.ts";
import type { Attributes, FileSystemStatistics, NodeType, Timestamp } from "../filesystem/types.ts";
import { ownerOf } from "./owner.ts";
import { exclusiveCreateAttributes, supportedAttributes } from "./supported.ts";

const TYPES: Readonly<Record<NodeType, fattr4_type>> = {
  file: NF4REG,
  directory: NF4DIR,
  symlink: NF4LNK,
  block: NF4BLK,
  character: NF4CHR,
  fifo: NF4FIFO,
  socket: NF4SOCK,
};
const NO_DEVICE: specdata4 = { specdata1: 0, specdata2: 0 };
const ONE_NANOSECOND: nfstime4 = { seconds: 0, nseconds: 1 };
const MAX_FILE_SIZE = BigInt(Number.MAX_SAFE_INTEGER);

export interface ViewSurroundings {
  readonly minorVersion: number;
  readonly leaseSeconds: number;
  readonly maxIo: number;
}

export class AttributeView implements Required<Pick<Fattr4Values, "type" | "change" | "size" | "fileid">> {
  readonly #node: NodeReference;
  readonly #its: Attributes;
  readonly #statistics: FileSystemStatistics | null;
  readonly #surroundings: ViewSurroundings;
  /** The fileid of the directory that an export's root covers; its own elsewhere. */
  readonly mounted_on_fileid: bigint;
  /** Only set in READDIR. */
  readonly rdattr_error: 0 = 0;

  constructor(
    node: NodeReference,
    its: Attributes,
    statistics: FileSystemStatistics | null,
    surroundings: ViewSurroundings,
    coveredFileid: bigint | null,
  ) {
    this.#node = node;
    this.#its = its;
    this.#statistics = statistics;
    this.#surroundings = surroundings;
    this.mounted_on_fileid = coveredFileid ?? its.fileid;
  }

  get supported_attrs(): number[] {
    return supportedAttributes(this.#surroundings.minorVersion) as number[];
  }
  get type(): fattr4_type {
    return TYPES[this.#its.type];
  }
  get fh_expire_type(): number {
    return 0;
  }
  get change(): bigint {
    return this.#its.change;
  }
  get size(): bigint {
    return BigInt(this.#its.size);
  }
  get link_support(): boolean {
    return this.#node.export.fileSystem.link !== undefined;
  }
  get symlink_support(): boolean {
    return this.#node.export.fileSystem.readlink !== undefined;
  }
  get named_attr(): boolean {
    return false;
  }
  get fsid(): fsid4 {
    return this.#node.export.fsid;
  }
  get unique_handles(): boolean {
    return true;
  }
  get lease_time(): number {
    return this.#surroundings.leaseSeconds;
  }
  get aclsupport(): number {
    return 0;
  }
  get cansettime(): boolean {
    return this.#node.export.fileSystem.setattr !== undefined;
  }
  get case_insensitive(): boolean {
    return this.#node.export.fileSystem.capabilities?.caseInsensitive ?? false;
  }
  get case_preserving(): boolean {
    return true;
  }
  get chown_restricted(): boolean {
    return true;
  }
  get filehandle(): Uint8Array {
    return this.#node.handle;
  }
  get fileid(): bigint {
    return this.#its.fileid;
  }
  get files_avail(): bigint | undefined {
    return big(this.#statistics?.availableFiles);
  }
  get files_free(): bigint | undefined {
    return big(this.#statistics?.freeFiles);
  }
  get files_total(): bigint | undefined {
    return big(this.#statistics?.totalFiles);
  }
  get homogeneous(): boolean {
    return true;
  }
  get maxfilesize(): bigint {
    return big(this.#node.export.fileSystem.capabilities?.maxFileSize) ?? MAX_FILE_SIZE;
  }
  get maxlink(): number {
    return this.#node.export.fileSystem.capabilities?.maxLinks ?? 32_000;
  }
  get maxname(): number {
    return this.#node.export.fileSystem.capabilities?.maxName ?? 255;
  }
  get maxread(): bigint {
    return BigInt(this.#surroundings.maxIo);
  }
  get maxwrite(): bigint {
    return BigInt(this.#surroundings.maxIo);
  }
  get mode(): number {
    return this.#its.mode;
  }
  get no_trunc(): boolean {
    return true;
  }
  get numlinks(): number {
    return this.#its.nlink;
  }
  get owner(): Uint8Array {
    return ownerOf(this.#its.uid);
  }
  get owner_group(): Uint8Array {
    return ownerOf(this.#its.gid);
  }
  get rawdev(): specdata4 {
    const { device } = this.#its;
    return device ? { specdata1: device.major, specdata2: device.minor } : NO_DEVICE;
  }
  get space_avail(): bigint | undefined {
    return big(this.#statistics?.availableBytes);
  }
  get space_free(): bigint | undefined {
    return big(this.#statistics?.freeBytes);
  }
  get space_total(): bigint | undefined {
    return big(this.#statistics?.totalBytes);
  }
  get space_used(): bigint {
    return BigInt(this.#its.spaceUsed);
  }
  get time_access(): nfstime4 {
    return timeOf(this.#its.atime);
  }
  get time_create(): nfstime4 | undefined {
    return this.#its.birthtime && timeOf(this.#its.birthtime);
  }
  get time_delta(): nfstime4 {
    return ONE_NANOSECOND;
  }
  get time_metadata(): nfstime4 {
    return timeOf(this.#its.ctime);
  }
  get time_modify(): nfstime4 {
    return timeOf(this.#its.mtime);
  }
  get suppattr_exclcreat(): number[] {
    return exclusiveCreateAttributes(this.#surroundings.minorVersion) as number[];
  }
  get fs_charset_cap(): number {
    return FSCHARSET_CAP4_CONTAINS_NON_UTF8;
  }
  get change_attr_type(): typeof NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR {
    return NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR;
  }
  get xattr_support(): boolean {
    return false;
  }
}

function timeOf({ seconds, nanoseconds }: Timestamp): nfstime4 {
  return { seconds, nseconds: nanoseconds };
}

function big(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(Math.max(0, Math.floor(value)));
}

/** True if any attribute of the mask needs `statfs`. */
export function needsStatistics(mask: Bitmap): boolean {
  return ((mask[0] ?? 0) & 0x00e0_0000) !== 0 || ((mask[1] ?? 0) & 0x0000_1c00) !== 0;
}
