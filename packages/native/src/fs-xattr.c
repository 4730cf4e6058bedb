// Extended attributes, through /proc so that O_PATH descriptors do. An empty buffer asks for the length.
#include <sys/xattr.h>

#include "fs-call.h"

int64_t fs_get_xattr(fs_call *call) {
  char path[PROC_FD_SIZE];
  if (!call->name || call->buffer_count != 1) return -EINVAL;
  return result_of(getxattr(proc_fd_path(path, call->fd), call->name, call->buffers[0].iov_base, call->buffers[0].iov_len));
}

// `flags`: 0, XATTR_CREATE or XATTR_REPLACE.
int64_t fs_set_xattr(fs_call *call) {
  char path[PROC_FD_SIZE];
  if (!call->name || call->buffer_count != 1) return -EINVAL;
  return result_of(setxattr(proc_fd_path(path, call->fd), call->name, call->buffers[0].iov_base, call->buffers[0].iov_len, (int)call->flags));
}

int64_t fs_list_xattrs(fs_call *call) {
  char path[PROC_FD_SIZE];
  if (call->buffer_count != 1) return -EINVAL;
  return result_of(listxattr(proc_fd_path(path, call->fd), call->buffers[0].iov_base, call->buffers[0].iov_len));
}

int64_t fs_remove_xattr(fs_call *call) {
  char path[PROC_FD_SIZE];
  return call->name ? result_of(removexattr(proc_fd_path(path, call->fd), call->name)) : -EINVAL;
}
