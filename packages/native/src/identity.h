// Whose rights a thread uses on files.
#ifndef NFS4_IDENTITY_H
#define NFS4_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t uid, gid;
  size_t group_count;
  const uint32_t *groups;
} identity;

// Notes what the process itself is. Called when the addon is loaded, and by each thread's first use at the latest.
void identity_note_own(void);

// Makes the calling thread, and no other, act on files as `wanted` (NULL: as the process itself). Costs nothing if it does so already. Returns
// 0, or -EPERM or -EINVAL with the thread acting as the process itself. Aborts if a thread cannot return to what it was: it must not go on.
int identity_assume(const identity *wanted);

// Frees what the calling thread remembers. For threads that end.
void identity_forget(void);

#endif
