// inotify(7): who else changes a directory.
#include <sys/inotify.h>
#include <unistd.h>

#include "fs-call.h"

int64_t fs_watch_open(fs_call *call) {
  (void)call;
  return result_of(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

// `fd2`: what to watch, which may be O_PATH. `flags`: IN_….
int64_t fs_watch_add(fs_call *call) {
  char path[PROC_FD_SIZE];
  return result_of(inotify_add_watch(call->fd, proc_fd_path(path, call->fd2), call->flags));
}

// `flags`: the watch.
int64_t fs_watch_remove(fs_call *call) { return result_of(inotify_rm_watch(call->fd, (int)call->flags)); }

int64_t fs_watch_read(fs_call *call) {
  if (call->buffer_count != 1) return -EINVAL;
  return result_of(read(call->fd, call->buffers[0].iov_base, call->buffers[0].iov_len));
}
