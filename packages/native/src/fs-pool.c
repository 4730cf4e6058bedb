#include "fs-pool.h"

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#define STACK_SIZE (256 << 10)

static void put(fs_queue *queue, fs_job *job) {
  job->next = NULL;
  *queue->last = job;
  queue->last = &job->next;
}

static fs_job *take(fs_queue *queue) {
  fs_job *job = queue->first;
  queue->first = job->next;
  if (!queue->first) queue->last = &queue->first;
  return job;
}

static void empty(fs_queue *queue) {
  queue->first = NULL;
  queue->last = &queue->first;
}

static void work(fs_pool *pool, fs_lane lane) {
  // A umask of the thread's own, and none: modes are the caller's business, exactly.
  if (unshare(CLONE_FS) == 0) umask(0);
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    while (!pool->waiting[lane].first && !pool->stopping) {
      pool->idle[lane]++;
      pthread_cond_wait(&pool->work[lane], &pool->lock);
      pool->idle[lane]--;
    }
    if (pool->stopping) break;
    fs_job *job = take(&pool->waiting[lane]);
    pthread_mutex_unlock(&pool->lock);
    fs_perform(job->operation, &job->call);
    pthread_mutex_lock(&pool->lock);
    bool was_empty = !pool->done.first;
    put(&pool->done, job);
    if (was_empty) pool->notify(pool->context);
  }
  pthread_mutex_unlock(&pool->lock);
  identity_forget();
}

static void *work_on_files(void *pool) {
  work(pool, LANE_FILES);
  return NULL;
}

static void *work_on_syncs(void *pool) {
  work(pool, LANE_SYNC);
  return NULL;
}

void fs_pool_init(fs_pool *pool, size_t workers, size_t sync_workers, void (*notify)(void *), void *context) {
  pthread_mutex_init(&pool->lock, NULL);
  for (int lane = 0; lane < LANES; lane++) {
    pthread_cond_init(&pool->work[lane], NULL);
    empty(&pool->waiting[lane]);
  }
  empty(&pool->done);
  pool->wanted[LANE_FILES] = workers;
  pool->wanted[LANE_SYNC] = sync_workers;
  pool->notify = notify;
  pool->context = context;
}

// Signals stay with the threads of Node: the mask is inherited, so it is set around the creation.
static int start_thread(fs_pool *pool, fs_lane lane) {
  pthread_attr_t attributes;
  sigset_t all, before;
  pthread_t *thread = &pool->threads[lane][pool->started[lane]];
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  int error = pthread_create(thread, &attributes, lane == LANE_SYNC ? work_on_syncs : work_on_files, pool);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error) return -error;
  pthread_setname_np(*thread, lane == LANE_SYNC ? "nfs4-sync" : "nfs4-file");
  pool->started[lane]++;
  return 0;
}

int fs_pool_submit(fs_pool *pool, fs_job *job) {
  fs_lane lane = fs_lane_of(job->operation, &job->call);
  int outcome = 0;
  pthread_mutex_lock(&pool->lock);
  // A thread that has been woken counts as idle until it runs, so with one waiting job already another thread may be wanted.
  bool all_busy = pool->idle[lane] == 0 || pool->waiting[lane].first;
  if (all_busy && pool->started[lane] < pool->wanted[lane]) outcome = start_thread(pool, lane);
  if (outcome == 0 || pool->started[lane] > 0) {
    put(&pool->waiting[lane], job);
    if (pool->idle[lane] > 0) pthread_cond_signal(&pool->work[lane]);
    outcome = 0;
  }
  pthread_mutex_unlock(&pool->lock);
  return outcome;
}

fs_job *fs_pool_take_done(fs_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  fs_job *list = pool->done.first;
  empty(&pool->done);
  pthread_mutex_unlock(&pool->lock);
  return list;
}

void fs_pool_stop(fs_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  pool->stopping = true;
  for (int lane = 0; lane < LANES; lane++) pthread_cond_broadcast(&pool->work[lane]);
  pthread_mutex_unlock(&pool->lock);
  for (int lane = 0; lane < LANES; lane++) {
    for (size_t i = 0; i < pool->started[lane]; i++) pthread_join(pool->threads[lane][i], NULL);
    while (pool->waiting[lane].first) {
      fs_job *job = take(&pool->waiting[lane]);
      job->call.result = -ECANCELED;
      put(&pool->done, job);
    }
    pthread_cond_destroy(&pool->work[lane]);
  }
  pthread_mutex_destroy(&pool->lock);
}
