// Attributes of the inode behind a descriptor, O_PATH ones included.
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs-call.h"

#ifndef AT_EACCESS
#define AT_EACCESS 0x200
#endif

static void put_time(fs_call *call, const struct statx_timestamp *time) {
  put64(call, (uint64_t)time->tv_sec);
  put32(call, time->tv_nsec);
}

// `flags`: AT_STATX_…; AT_SYMLINK_NOFOLLOW is always there. `mode`: the mask. The order of output is known to file-results.ts.
int64_t fs_statx(fs_call *call) {
  struct statx status;
  if (call->name && !is_component(call->name, call->name_length)) return -EINVAL;
  int flags = (int)call->flags | AT_SYMLINK_NOFOLLOW | (call->name ? 0 : AT_EMPTY_PATH);
  if (statx(call->fd, call->name ? call->name : "", flags, call->mode, &status) < 0) return -errno;
  put32(call, status.stx_mask);
  put32(call, status.stx_mode);
  put32(call, status.stx_nlink);
  put32(call, status.stx_uid);
  put32(call, status.stx_gid);
  put32(call, status.stx_blksize);
  put64(call, status.stx_attributes);
  put64(call, status.stx_attributes_mask);
  put64(call, status.stx_ino);
  put64(call, status.stx_size);
  put64(call, status.stx_blocks);
  put_time(call, &status.stx_atime);
  put_time(call, &status.stx_btime);
  put_time(call, &status.stx_ctime);
  put_time(call, &status.stx_mtime);
  put32(call, status.stx_rdev_major);
  put32(call, status.stx_rdev_minor);
  put32(call, status.stx_dev_major);
  put32(call, status.stx_dev_minor);
  put64(call, status.stx_mnt_id);
  return 0;
}

int64_t fs_statfs(fs_call *call) {
  struct statfs status;
  if (fstatfs(call->fd, &status) < 0) return -errno;
  put32(call, (uint32_t)status.f_type);
  put32(call, (uint32_t)status.f_bsize);
  put32(call, (uint32_t)status.f_frsize);
  put32(call, (uint32_t)status.f_namelen);
  put32(call, (uint32_t)status.f_flags);
  put32(call, (uint32_t)status.f_fsid.__val[0]);
  put32(call, (uint32_t)status.f_fsid.__val[1]);
  put64(call, status.f_blocks);
  put64(call, status.f_bfree);
  put64(call, status.f_bavail);
  put64(call, status.f_files);
  put64(call, status.f_ffree);
  return 0;
}

// By the file system identity of the thread (AT_EACCESS), not the real one of the process. glibc's faccessat() emulates flags on old
// kernels by other means, so the system call is made directly.
int64_t fs_access(fs_call *call) {
  return result_of(syscall(SYS_faccessat2, call->fd, "", (int)call->mode, AT_EACCESS | AT_EMPTY_PATH));
}

int64_t fs_chmod(fs_call *call) {
  char path[PROC_FD_SIZE];
  return result_of(chmod(proc_fd_path(path, call->fd), call->mode));
}

// `extra` and `extra2`: uid and gid, 2^32-1 leaves one as it is.
int64_t fs_chown(fs_call *call) { return result_of(fchownat(call->fd, "", call->extra, call->extra2, AT_EMPTY_PATH)); }

// Seconds in `offset` and `offset2`, nanoseconds (or UTIME_NOW, UTIME_OMIT) in `extra` and `extra2`.
int64_t fs_utimes(fs_call *call) {
  struct timespec times[2] = {{.tv_sec = call->offset, .tv_nsec = (long)call->extra}, {.tv_sec = call->offset2, .tv_nsec = (long)call->extra2}};
  char path[PROC_FD_SIZE];
  return result_of(utimensat(AT_FDCWD, proc_fd_path(path, call->fd), times, 0));
}

int64_t fs_truncate(fs_call *call) { return result_of(ftruncate(call->fd, call->length)); }

// For a descriptor that is not open for writing: permission is decided now.
int64_t fs_truncate_path(fs_call *call) {
  char path[PROC_FD_SIZE];
  return result_of(truncate(proc_fd_path(path, call->fd), call->length));
}
