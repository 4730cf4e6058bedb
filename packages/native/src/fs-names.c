// Names in directories. Each name is one component under a directory's descriptor.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs-call.h"

static bool first_ok(const fs_call *call) { return is_component(call->name, call->name_length); }
static bool both_ok(const fs_call *call) { return first_ok(call) && is_component(call->name2, call->name2_length); }

int64_t fs_mkdir(fs_call *call) { return first_ok(call) ? result_of(mkdirat(call->fd, call->name, call->mode)) : -EINVAL; }

// `extra` and `extra2`: major and minor number.
int64_t fs_mknod(fs_call *call) {
  if (!first_ok(call)) return -EINVAL;
  return result_of(mknodat(call->fd, call->name, call->mode, makedev(call->extra, call->extra2)));
}

// `name2`: the text of the link, any.
int64_t fs_symlink(fs_call *call) {
  return first_ok(call) && call->name2 ? result_of(symlinkat(call->name2, call->fd, call->name)) : -EINVAL;
}

int64_t fs_readlink(fs_call *call) {
  if ((call->name && !first_ok(call)) || call->buffer_count != 1) return -EINVAL;
  return result_of(readlinkat(call->fd, call->name ? call->name : "", call->buffers[0].iov_base, call->buffers[0].iov_len));
}

int64_t fs_link(fs_call *call) { return both_ok(call) ? result_of(linkat(call->fd, call->name, call->fd2, call->name2, 0)) : -EINVAL; }

// AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH, which another user's identity has not; the link in /proc needs nothing.
int64_t fs_link_fd(fs_call *call) {
  char path[PROC_FD_SIZE];
  if (!is_component(call->name2, call->name2_length)) return -EINVAL;
  return result_of(linkat(AT_FDCWD, proc_fd_path(path, call->fd), call->fd2, call->name2, AT_SYMLINK_FOLLOW));
}

// `flags`: 0 or AT_REMOVEDIR.
int64_t fs_unlink(fs_call *call) { return first_ok(call) ? result_of(unlinkat(call->fd, call->name, (int)call->flags)) : -EINVAL; }

// `flags`: RENAME_….
int64_t fs_rename(fs_call *call) {
  return both_ok(call) ? result_of(renameat2(call->fd, call->name, call->fd2, call->name2, call->flags)) : -EINVAL;
}

// Position and reading belong together, and a descriptor has one position: calls on the same one take turns.
static pthread_mutex_t turns[64] = {[0 ... 63] = PTHREAD_MUTEX_INITIALIZER};

// `offset`: the cookie (d_off) to continue behind, 0 for the beginning.
int64_t fs_getdents(fs_call *call) {
  if (call->fd < 0) return -EBADF;
  if (call->buffer_count != 1) return -EINVAL;
  pthread_mutex_t *turn = &turns[call->fd % 64];
  pthread_mutex_lock(turn);
  int64_t result = result_of(lseek(call->fd, call->offset, SEEK_SET));
  if (result >= 0) result = result_of(syscall(SYS_getdents64, call->fd, call->buffers[0].iov_base, call->buffers[0].iov_len));
  pthread_mutex_unlock(turn);
  return result;
}
