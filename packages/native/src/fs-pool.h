// Threads that carry out file system calls: one lane for files, one for what can take long.
#ifndef NFS4_FS_POOL_H
#define NFS4_FS_POOL_H

#include <pthread.h>

#include "fs-call.h"

#define MAX_WORKERS 64

// A call on its way. Allocated in one piece with its names, groups and buffer list behind it.
typedef struct fs_job {
  struct fs_job *next;
  size_t operation;
  int32_t slot;  // by which JavaScript knows it
  fs_call call;
  identity as;
} fs_job;

typedef struct {
  fs_job *first, **last;
} fs_queue;

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t work[LANES];
  fs_queue waiting[LANES], done;
  pthread_t threads[LANES][MAX_WORKERS];
  size_t wanted[LANES], started[LANES], idle[LANES];
  bool stopping;
  void (*notify)(void *context);  // called by a worker when `done` is no longer empty
  void *context;
} fs_pool;

void fs_pool_init(fs_pool *pool, size_t workers, size_t sync_workers, void (*notify)(void *), void *context);

// Hands over a job. Threads are started when they are first needed. 0, or -EAGAIN if not even one can be started: the job stays with the caller.
int fs_pool_submit(fs_pool *pool, fs_job *job);

// All that is done, as a list; the caller owns it.
fs_job *fs_pool_take_done(fs_pool *pool);

// Waits for what is running and ends the threads. Jobs that had not started are left in `done` with -ECANCELED. The pool is of no more use.
void fs_pool_stop(fs_pool *pool);

#endif
