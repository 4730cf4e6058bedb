// From names, handles and descriptors to descriptors. Every descriptor closes on exec; none follows a symbolic link in the last
// component; none blocks, as opening a FIFO would.
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs-call.h"

#define ALWAYS (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

// With O_PATH the kernel's openat2 refuses flags that mean nothing then, and openat ignores them.
static int all_flags(const fs_call *call) { return (int)call->flags | (call->flags & O_PATH ? O_CLOEXEC : ALWAYS); }

int64_t fs_open(fs_call *call) {
  if (!is_component(call->name, call->name_length)) return -EINVAL;
  return result_of(openat(call->fd, call->name, all_flags(call) | O_NOFOLLOW, call->mode));
}

// `extra`: RESOLVE_… of openat2(2).
int64_t fs_open_beneath(fs_call *call) {
  if (!call->name) return -EINVAL;
  struct open_how how = {.flags = (uint64_t)(unsigned)(all_flags(call) | O_NOFOLLOW), .resolve = call->extra};
  if (call->flags & O_CREAT || (call->flags & O_TMPFILE) == O_TMPFILE) how.mode = call->mode;  // else it must be 0
  return result_of(syscall(SYS_openat2, call->fd, call->name, &how, sizeof how));
}

int64_t fs_open_path(fs_call *call) {
  if (!call->name) return -EINVAL;
  return result_of(open(call->name, all_flags(call), call->mode));
}

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

// A mount of its own in no name space, without the mounts on top of it: gone with its last descriptor. Needs CAP_SYS_ADMIN.
int64_t fs_clone_tree(fs_call *call) {
  return result_of(syscall(SYS_open_tree, call->fd, "", OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH));
}

int64_t fs_reopen(fs_call *call) {
  char path[PROC_FD_SIZE];
  return result_of(open(proc_fd_path(path, call->fd), all_flags(call)));
}

// After EINTR the descriptor is gone all the same, so it is never closed again.
int64_t fs_close(fs_call *call) { return close(call->fd) == 0 || errno == EINTR ? 0 : -errno; }

typedef union {
  struct file_handle handle;
  char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} any_handle;

// Output: type, mount id, length, then the bytes. `flags`: AT_….
int64_t fs_name_to_handle(fs_call *call) {
  any_handle any = {.handle.handle_bytes = MAX_HANDLE_SZ};
  int mount_id;
  if (call->name && !is_component(call->name, call->name_length)) return -EINVAL;
  int flags = (int)call->flags | (call->name ? 0 : AT_EMPTY_PATH);
  if (name_to_handle_at(call->fd, call->name ? call->name : "", &any.handle, &mount_id, flags) < 0) return -errno;
  put32(call, (uint32_t)any.handle.handle_type);
  put32(call, (uint32_t)mount_id);
  put32(call, any.handle.handle_bytes);
  memcpy(call->output + call->output_count, any.handle.f_handle, any.handle.handle_bytes);
  call->output_count += (any.handle.handle_bytes + 3) / 4;
  return any.handle.handle_bytes;
}

// `fd`: any descriptor of the mount, not O_PATH; the buffer: the handle's bytes; `extra`: its type. Needs CAP_DAC_READ_SEARCH, which the
// identity of another user lacks.
int64_t fs_open_by_handle(fs_call *call) {
  any_handle any;
  if (call->buffer_count != 1 || call->buffers[0].iov_len > MAX_HANDLE_SZ) return -EINVAL;
  any.handle.handle_bytes = (unsigned)call->buffers[0].iov_len;
  any.handle.handle_type = (int)call->extra;
  memcpy(any.handle.f_handle, call->buffers[0].iov_base, call->buffers[0].iov_len);
  return result_of(open_by_handle_at(call->fd, &any.handle, all_flags(call)));
}

// Never blocks: -EWOULDBLOCK if somebody else has it.
int64_t fs_flock(fs_call *call) { return result_of(flock(call->fd, (int)call->flags | LOCK_NB)); }
