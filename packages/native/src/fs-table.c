// Which calls there are, and how one is carried out.
#include <stdio.h>
#include <string.h>

#include "fs-call.h"

#ifndef RWF_DSYNC
#define RWF_DSYNC 2
#define RWF_SYNC 4
#endif

const fs_entry fs_entries[] = {
    {"open", fs_open, LANE_FILES},
    {"openBeneath", fs_open_beneath, LANE_FILES},
    {"openPath", fs_open_path, LANE_FILES},
    {"cloneTree", fs_clone_tree, LANE_FILES},
    {"reopen", fs_reopen, LANE_FILES},
    {"close", fs_close, LANE_FILES},
    {"nameToHandle", fs_name_to_handle, LANE_FILES},
    {"openByHandle", fs_open_by_handle, LANE_FILES},
    {"flock", fs_flock, LANE_FILES},
    {"statx", fs_statx, LANE_FILES},
    {"statfs", fs_statfs, LANE_FILES},
    {"access", fs_access, LANE_FILES},
    {"chmod", fs_chmod, LANE_FILES},
    {"chown", fs_chown, LANE_FILES},
    {"utimes", fs_utimes, LANE_FILES},
    {"truncate", fs_truncate, LANE_FILES},
    {"truncatePath", fs_truncate_path, LANE_FILES},
    {"mkdir", fs_mkdir, LANE_FILES},
    {"mknod", fs_mknod, LANE_FILES},
    {"symlink", fs_symlink, LANE_FILES},
    {"readlink", fs_readlink, LANE_FILES},
    {"link", fs_link, LANE_FILES},
    {"linkFd", fs_link_fd, LANE_FILES},
    {"unlink", fs_unlink, LANE_FILES},
    {"rename", fs_rename, LANE_FILES},
    {"getdents", fs_getdents, LANE_FILES},
    {"read", fs_read, LANE_FILES},
    {"write", fs_write, LANE_FILES},
    {"fsync", fs_fsync, LANE_SYNC},
    {"fdatasync", fs_fdatasync, LANE_SYNC},
    {"syncfs", fs_syncfs, LANE_SYNC},
    {"fallocate", fs_fallocate, LANE_FILES},
    {"seek", fs_seek, LANE_FILES},
    {"advise", fs_advise, LANE_FILES},
    {"copyRange", fs_copy_range, LANE_SYNC},
    {"clone", fs_clone, LANE_SYNC},
    {"cloneRange", fs_clone_range, LANE_SYNC},
    {"getXattr", fs_get_xattr, LANE_FILES},
    {"setXattr", fs_set_xattr, LANE_FILES},
    {"listXattrs", fs_list_xattrs, LANE_FILES},
    {"removeXattr", fs_remove_xattr, LANE_FILES},
    {"watchOpen", fs_watch_open, LANE_FILES},
    {"watchAdd", fs_watch_add, LANE_FILES},
    {"watchRemove", fs_watch_remove, LANE_FILES},
    {"watchRead", fs_watch_read, LANE_FILES},
};

const size_t fs_entry_count = sizeof fs_entries / sizeof fs_entries[0];

fs_lane fs_lane_of(size_t operation, const fs_call *call) {
  const fs_entry *entry = &fs_entries[operation];
  return entry->operation == fs_write && (call->flags & (RWF_DSYNC | RWF_SYNC)) ? LANE_SYNC : entry->lane;
}

void fs_perform(size_t operation, fs_call *call) {
  int assumed = identity_assume(call->as);
  call->result = assumed < 0 ? assumed : fs_entries[operation].operation(call);
}

bool is_component(const char *name, size_t length) { return name && length > 0 && !memchr(name, '/', length); }

const char *proc_fd_path(char buffer[PROC_FD_SIZE], int fd) {
  snprintf(buffer, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
  return buffer;
}
