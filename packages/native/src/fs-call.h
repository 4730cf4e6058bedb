// One file system call: what goes in, what comes out. The calls themselves are plain functions on this; they know neither threads nor Node.
#ifndef NFS4_FS_CALL_H
#define NFS4_FS_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "identity.h"

// The most 32-bit words that a call can return besides its result (name_to_handle_at: 3 and 128 bytes).
#define MAX_OUTPUT_WORDS 48

typedef struct {
  int32_t fd, fd2;
  uint32_t flags, mode, extra, extra2;
  int64_t offset, offset2, length;
  const char *name, *name2;  // NUL-terminated; NULL: the descriptor itself
  size_t name_length, name2_length;
  struct iovec *buffers;
  int buffer_count;
  const identity *as;  // NULL: the process itself

  int64_t result;  // not negative, or a negative errno
  uint32_t output[MAX_OUTPUT_WORDS];
  size_t output_count;
} fs_call;

typedef int64_t (*fs_operation)(fs_call *call);

typedef enum { LANE_FILES, LANE_SYNC, LANES } fs_lane;

typedef struct {
  const char *name;
  fs_operation operation;
  fs_lane lane;  // LANE_SYNC for what can take long: it must not hold up the others
} fs_entry;

extern const fs_entry fs_entries[];
extern const size_t fs_entry_count;

// Runs the call on the calling thread, as whom it says, and sets its result. The thread keeps that identity.
void fs_perform(size_t operation, fs_call *call);

// The lane for this call: a write that is to be on stable storage goes with the syncs.
fs_lane fs_lane_of(size_t operation, const fs_call *call);

// What every call's last line says.
static inline int64_t result_of(int64_t value) { return value < 0 ? -errno : value; }

// Output words: 64-bit values are two words, low half first.
static inline void put32(fs_call *call, uint32_t value) { call->output[call->output_count++] = value; }

static inline void put64(fs_call *call, uint64_t value) {
  put32(call, (uint32_t)value);
  put32(call, (uint32_t)(value >> 32));
}

// A name is one component: a slash in it would walk. "." and ".." are the caller's business.
bool is_component(const char *name, size_t length);

// O_PATH descriptors take few calls directly; their link in /proc leads to exactly the same inode, without a walk.
#define PROC_FD_SIZE 32
const char *proc_fd_path(char buffer[PROC_FD_SIZE], int fd);

// fs-open.c
int64_t fs_open(fs_call *call);
int64_t fs_open_beneath(fs_call *call);
int64_t fs_open_path(fs_call *call);
int64_t fs_clone_tree(fs_call *call);
int64_t fs_reopen(fs_call *call);
int64_t fs_close(fs_call *call);
int64_t fs_name_to_handle(fs_call *call);
int64_t fs_open_by_handle(fs_call *call);
int64_t fs_flock(fs_call *call);

// fs-metadata.c
int64_t fs_statx(fs_call *call);
int64_t fs_statfs(fs_call *call);
int64_t fs_access(fs_call *call);
int64_t fs_chmod(fs_call *call);
int64_t fs_chown(fs_call *call);
int64_t fs_utimes(fs_call *call);
int64_t fs_truncate(fs_call *call);
int64_t fs_truncate_path(fs_call *call);

// fs-names.c
int64_t fs_mkdir(fs_call *call);
int64_t fs_mknod(fs_call *call);
int64_t fs_symlink(fs_call *call);
int64_t fs_readlink(fs_call *call);
int64_t fs_link(fs_call *call);
int64_t fs_link_fd(fs_call *call);
int64_t fs_unlink(fs_call *call);
int64_t fs_rename(fs_call *call);
int64_t fs_getdents(fs_call *call);

// fs-data.c
int64_t fs_read(fs_call *call);
int64_t fs_write(fs_call *call);
int64_t fs_fsync(fs_call *call);
int64_t fs_fdatasync(fs_call *call);
int64_t fs_syncfs(fs_call *call);
int64_t fs_fallocate(fs_call *call);
int64_t fs_seek(fs_call *call);
int64_t fs_advise(fs_call *call);
int64_t fs_copy_range(fs_call *call);
int64_t fs_clone(fs_call *call);
int64_t fs_clone_range(fs_call *call);

// fs-watch.c
int64_t fs_watch_open(fs_call *call);
int64_t fs_watch_add(fs_call *call);
int64_t fs_watch_remove(fs_call *call);
int64_t fs_watch_read(fs_call *call);

// fs-xattr.c
int64_t fs_get_xattr(fs_call *call);
int64_t fs_set_xattr(fs_call *call);
int64_t fs_list_xattrs(fs_call *call);
int64_t fs_remove_xattr(fs_call *call);

#endif
