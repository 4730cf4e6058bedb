// setfsuid(2), setfsgid(2) and setgroups(2) by raw system calls, which change the calling thread only: glibc's setgroups() changes all
// threads. Leaving file system user 0 takes the capabilities that override file permissions (CAP_CHOWN, CAP_DAC_OVERRIDE,
// CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD …) out of the thread's effective set, returning to it brings them back
// (capabilities(7), "Effect of user ID changes"); CAP_SETUID and CAP_SETGID stay, so there is a way back.
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_setgroups32
#define SYS_SETGROUPS SYS_setgroups32
#define SYS_SETFSUID SYS_setfsuid32
#define SYS_SETFSGID SYS_setfsgid32
#else
#define SYS_SETGROUPS SYS_setgroups
#define SYS_SETFSUID SYS_setfsuid
#define SYS_SETFSGID SYS_setfsgid
#endif

#define NOBODY_AT_ALL ((uint32_t)-1)

static identity own;
static pthread_once_t own_noted = PTHREAD_ONCE_INIT;

// What the calling thread acts as, if not as the process itself.
static _Thread_local struct {
  bool foreign;
  identity who;
  uint32_t *groups;
  size_t capacity;
} current;

static void note_own(void) {
  int count = getgroups(0, NULL);
  gid_t *groups = count > 0 ? calloc((size_t)count, sizeof *groups) : NULL;
  if (count > 0 && (!groups || getgroups(count, groups) != count)) {
    fputs("nfs4: the process's own groups cannot be read\n", stderr);
    abort();
  }
  own = (identity){.uid = geteuid(), .gid = getegid(), .group_count = count > 0 ? (size_t)count : 0, .groups = groups};
}

void identity_note_own(void) { pthread_once(&own_noted, note_own); }

static bool same_groups(const identity *a, const identity *b) {
  if (a->group_count != b->group_count) return false;
  return a->group_count == 0 || memcmp(a->groups, b->groups, a->group_count * sizeof *a->groups) == 0;
}

static bool same(const identity *a, const identity *b) { return a->uid == b->uid && a->gid == b->gid && same_groups(a, b); }

// Neither call tells whether it succeeded; asking for an impossible id changes nothing and tells what is in force.
static bool set_fsuid(uint32_t uid) {
  syscall(SYS_SETFSUID, uid);
  return (uint32_t)syscall(SYS_SETFSUID, NOBODY_AT_ALL) == uid;
}

static bool set_fsgid(uint32_t gid) {
  syscall(SYS_SETFSGID, gid);
  return (uint32_t)syscall(SYS_SETFSGID, NOBODY_AT_ALL) == gid;
}

static bool set_groups(const identity *who) { return syscall(SYS_SETGROUPS, who->group_count, who->groups) == 0; }

// What is the same already is left alone: each change costs the kernel 1 to 2 µs, and even setting the same groups needs privilege.
static void return_to_own(const identity *from) {
  bool ok = (from->uid == own.uid || set_fsuid(own.uid)) && (from->gid == own.gid || set_fsgid(own.gid)) &&
            (same_groups(from, &own) || set_groups(&own));
  if (!ok) {
    fputs("nfs4: a thread cannot return to its own identity\n", stderr);
    abort();
  }
  current.foreign = false;
}

static int remember(const identity *wanted) {
  if (wanted->group_count > current.capacity) {
    uint32_t *grown = realloc(current.groups, wanted->group_count * sizeof *grown);
    if (!grown) return -ENOMEM;
    current.groups = grown;
    current.capacity = wanted->group_count;
  }
  if (wanted->group_count) memcpy(current.groups, wanted->groups, wanted->group_count * sizeof *wanted->groups);
  current.who = (identity){wanted->uid, wanted->gid, wanted->group_count, current.groups};
  return 0;
}

int identity_assume(const identity *wanted) {
  identity_note_own();
  const identity *from = current.foreign ? &current.who : &own;
  if (!wanted) wanted = &own;
  if (same(from, wanted)) return 0;
  if (same(wanted, &own)) {
    return_to_own(from);
    return 0;
  }
  int error = 0;
  if (wanted->uid == NOBODY_AT_ALL || wanted->gid == NOBODY_AT_ALL) error = -EINVAL;
  else if (!same_groups(from, wanted) && !set_groups(wanted)) error = -errno;
  if (error) {  // nothing has changed yet
    if (current.foreign) return_to_own(from);
    return error;
  }
  bool changed = (from->gid == wanted->gid || set_fsgid(wanted->gid)) && (from->uid == wanted->uid || set_fsuid(wanted->uid));
  error = changed ? remember(wanted) : -EPERM;
  if (!error) {
    current.foreign = true;
    return 0;
  }
  identity half_way = {NOBODY_AT_ALL, NOBODY_AT_ALL, wanted->group_count, wanted->groups};
  return_to_own(&half_way);
  return error;
}

void identity_forget(void) {
  free(current.groups);
  current.groups = NULL;
  current.capacity = 0;
  current.foreign = false;
}
