// The bytes of files.
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs-call.h"

// `flags`: RWF_…. With RWF_NOWAIT only what is in memory is read: fewer bytes than asked for, or -EAGAIN. To the kernel an offset of -1 is the
// descriptor's position, of which there is none here.
int64_t fs_read(fs_call *call) {
  if (call->offset < 0) return -EINVAL;
  return result_of(preadv2(call->fd, call->buffers, call->buffer_count, call->offset, (int)call->flags));
}

int64_t fs_write(fs_call *call) {
  if (call->offset < 0) return -EINVAL;
  return result_of(pwritev2(call->fd, call->buffers, call->buffer_count, call->offset, (int)call->flags));
}

int64_t fs_fsync(fs_call *call) { return result_of(fsync(call->fd)); }

int64_t fs_fdatasync(fs_call *call) { return result_of(fdatasync(call->fd)); }

int64_t fs_syncfs(fs_call *call) { return result_of(syncfs(call->fd)); }

int64_t fs_fallocate(fs_call *call) { return result_of(fallocate(call->fd, (int)call->mode, call->offset, call->length)); }

// SEEK_DATA and SEEK_HOLE move the descriptor's position, which nothing else here depends on for files.
int64_t fs_seek(fs_call *call) { return result_of(lseek(call->fd, call->offset, (int)call->flags)); }

int64_t fs_advise(fs_call *call) { return -posix_fadvise(call->fd, call->offset, call->length, (int)call->flags); }

int64_t fs_copy_range(fs_call *call) {
  off_t from = call->offset, to = call->offset2;
  if (call->length < 0) return -EINVAL;
  return result_of(copy_file_range(call->fd, &from, call->fd2, &to, (size_t)call->length, 0));
}

int64_t fs_clone(fs_call *call) { return result_of(ioctl(call->fd2, FICLONE, call->fd)); }

int64_t fs_clone_range(fs_call *call) {
  struct file_clone_range range = {.src_fd = call->fd,
                                   .src_offset = (uint64_t)call->offset,
                                   .src_length = (uint64_t)call->length,
                                   .dest_offset = (uint64_t)call->offset2};
  return result_of(ioctl(call->fd2, FICLONERANGE, &range));
}
