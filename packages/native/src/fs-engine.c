// The object that JavaScript holds. Arguments, names and results cross in arrays that are registered once; a call itself passes an
// operation number, a slot and its buffers. Buffers belong to the caller, which keeps them alive until the call has come back.
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "addon.h"
#include "fs-arguments.h"
#include "fs-pool.h"

typedef struct {
  fs_pool pool;
  uv_async_t async;
  napi_env env;
  napi_ref self, callback;  // self is strong while open
  napi_ref arrays[4];
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  fs_arguments arguments;
  uint32_t *records, *sync_record;
  size_t records_length;
  size_t pending;
  int holders;  // the object in JavaScript, the handle in the loop, a running callback
  bool open;
  const identity *scope;  // what calls on this thread act as at present; NULL: as the process
} fs_engine;

static void release(fs_engine *engine) {
  if (--engine->holders == 0) free(engine);
}

static void free_jobs(fs_job *job) {
  while (job) {
    fs_job *next = job->next;
    free(job);
    job = next;
  }
}

static void handle_closed(uv_handle_t *handle) {
  fs_engine *engine = handle->data;
  napi_remove_async_cleanup_hook(engine->cleanup);
  release(engine);
}

// Waits for calls that are running: they write into memory of JavaScript.
static void start_closing(fs_engine *engine) {
  if (!engine->open) return;
  engine->open = false;
  fs_pool_stop(&engine->pool);
  free_jobs(engine->pool.done.first);
  uv_close((uv_handle_t *)&engine->async, handle_closed);
}

static void environment_ends(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  start_closing(data);
}

static void object_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

static void call_back(fs_engine *engine, uint32_t count) {
  napi_env env = engine->env;
  napi_handle_scope scope;
  napi_value callback, receiver, exception, argument;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, engine->callback, &callback) == napi_ok &&
      napi_get_reference_value(env, engine->self, &receiver) == napi_ok && napi_create_uint32(env, count, &argument) == napi_ok) {
    napi_status status = napi_make_callback(env, engine->context, receiver, callback, 1, &argument, NULL);
    if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &exception) == napi_ok)
      napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

// On the loop's thread: hands over everything that is done, as many results at a time as the records have room for.
static void on_done(uv_async_t *handle) {
  fs_engine *engine = handle->data;
  engine->holders++;
  for (fs_job *job = fs_pool_take_done(&engine->pool); job;) {
    uint32_t count = 0;
    for (size_t at = 0; job && at + RECORD_MAX <= engine->records_length; count++) {
      fs_job *next = job->next;
      at += fs_write_record(engine->records + at, job->slot, &job->call);
      free(job);
      job = next;
    }
    engine->pending -= count;
    if (engine->pending == 0) uv_unref((uv_handle_t *)handle);
    call_back(engine, count);
    if (!engine->open) {  // closed by the callback
      free_jobs(job);
      break;
    }
  }
  release(engine);
}

static void notify(void *context) { uv_async_send(&((fs_engine *)context)->async); }

// submit(operation: number, slot: number, buffers?: Uint8Array | Uint8Array[]): 0 | -errno
static napi_value submit(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  uint32_t operation;
  int32_t slot;
  fs_engine *engine;
  fs_call call;
  identity as;
  struct iovec buffers[MAX_BUFFERS];
  if (!get_this(env, info, 3, arguments, (void **)&engine) || !get_uint32(env, arguments[0], &operation) || !get_int32(env, arguments[1], &slot))
    return NULL;
  if (operation >= fs_entry_count) return fail(env, "no such operation");
  if (!engine->open) return make_int32(env, -ECANCELED);
  int outcome = fs_read_arguments(&engine->arguments, &call, &as);
  if (outcome < 0) return make_int32(env, outcome);
  call.buffers = buffers;
  call.buffer_count = fs_read_buffers(env, arguments[2], buffers, MAX_BUFFERS);
  if (call.buffer_count < 0) return make_int32(env, call.buffer_count);
  fs_job *job = fs_make_job(&call);
  if (!job) return make_int32(env, -ENOMEM);
  job->operation = operation;
  job->slot = slot;
  outcome = fs_pool_submit(&engine->pool, job);
  if (outcome < 0) free(job);
  else if (engine->pending++ == 0) uv_ref((uv_handle_t *)&engine->async);
  return make_int32(env, outcome);
}

// perform(operation: number, buffers?: Uint8Array | Uint8Array[]): 0 | -errno. On this thread, at once. The result stands in the record,
// unless the engine is closed.
static napi_value perform(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t operation;
  fs_engine *engine;
  fs_call call;
  identity as;
  struct iovec buffers[MAX_BUFFERS];
  if (!get_this(env, info, 2, arguments, (void **)&engine) || !get_uint32(env, arguments[0], &operation)) return NULL;
  if (operation >= fs_entry_count) return fail(env, "no such operation");
  if (!engine->open) return make_int32(env, -ECANCELED);
  int outcome = fs_read_arguments(&engine->arguments, &call, &as);
  if (outcome == 0) {
    call.buffers = buffers;
    call.buffer_count = fs_read_buffers(env, arguments[1], buffers, MAX_BUFFERS);
    if (call.buffer_count < 0) outcome = call.buffer_count;
  }
  if (outcome < 0) {
    call.result = outcome;
    call.output_count = 0;
  } else {
    if (!call.as) call.as = engine->scope;
    fs_perform(operation, &call);
    identity_assume(engine->scope);
  }
  fs_write_record(engine->sync_record, 0, &call);
  return make_int32(env, 0);
}

// runAs(action: () => T): T | -errno. Calls `action` with the identity in the arguments in force for this thread.
static napi_value run_as(napi_env env, napi_callback_info info) {
  napi_value action, receiver, result = NULL;
  fs_engine *engine;
  fs_call call;
  identity as;
  if (!get_this(env, info, 1, &action, (void **)&engine)) return NULL;
  if (!engine->open) return make_int32(env, -ECANCELED);
  int outcome = fs_read_arguments(&engine->arguments, &call, &as);
  if (outcome < 0) return make_int32(env, outcome);
  if (!call.as) return fail(env, "an identity was expected");
  uint32_t *groups = malloc(as.group_count * sizeof *groups + 1);  // the arguments are overwritten by the calls within
  if (!groups) return make_int32(env, -ENOMEM);
  memcpy(groups, as.groups, as.group_count * sizeof *groups);
  as.groups = groups;
  const identity *outer = engine->scope;
  outcome = identity_assume(&as);
  if (outcome == 0) {
    engine->scope = &as;
    napi_get_undefined(env, &receiver);
    napi_call_function(env, receiver, action, 0, NULL, &result);  // an exception of the action goes on to the caller
    engine->scope = outer;
  }
  identity_assume(outer);
  free(groups);
  return outcome < 0 ? make_int32(env, outcome) : result;
}

// close(): void. Waits for the calls that are running, and forgets the others: JavaScript sees to it that there are none.
static napi_value close_engine(napi_env env, napi_callback_info info) {
  fs_engine *engine;
  if (!get_this(env, info, 0, NULL, (void **)&engine)) return NULL;
  if (engine->open) {
    start_closing(engine);
    napi_async_destroy(env, engine->context);
    napi_delete_reference(env, engine->callback);
    for (size_t i = 0; i < LENGTH_OF(engine->arrays); i++) napi_delete_reference(env, engine->arrays[i]);
    napi_delete_reference(env, engine->self);
  }
  return make_undefined(env);
}

// new FileEngine(workers: number, syncWorkers: number, callback: (count: number) => void, arguments: Int32Array, names: Uint8Array,
//   records: Int32Array, syncRecord: Int32Array)
static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value arguments[7], self, resource_name;
  size_t count = 7;
  uint32_t workers, sync_workers;
  napi_valuetype type;
  view words, names, records, sync_record;
  uv_loop_t *loop;
  if (napi_get_cb_info(env, info, &count, arguments, &self, NULL) != napi_ok || !get_uint32(env, arguments[0], &workers) ||
      !get_uint32(env, arguments[1], &sync_workers) || !get_int32_array(env, arguments[3], &words) || !get_view(env, arguments[4], &names) ||
      !get_int32_array(env, arguments[5], &records) || !get_int32_array(env, arguments[6], &sync_record))
    return NULL;
  if (napi_typeof(env, arguments[2], &type) != napi_ok || type != napi_function) return fail(env, "a callback was expected");
  if (workers < 1 || workers > MAX_WORKERS || sync_workers < 1 || sync_workers > MAX_WORKERS) return fail(env, "there can be 1 to 64 workers");
  if (words.length < FS_ARGUMENT_WORDS * sizeof(int32_t) || records.length < RECORD_MAX * sizeof(int32_t) || sync_record.length < RECORD_MAX * sizeof(int32_t))
    return fail(env, "an array is too short");
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return NULL;
  fs_engine *engine = calloc(1, sizeof *engine);
  if (!engine || uv_async_init(loop, &engine->async, on_done) != 0) {
    free(engine);
    return fail(env, "no memory");
  }
  uv_unref((uv_handle_t *)&engine->async);  // until something is pending
  engine->async.data = engine;
  engine->env = env;
  engine->arguments = (fs_arguments){(const int32_t *)words.data, words.length / sizeof(int32_t), (const char *)names.data, names.length};
  engine->records = (uint32_t *)records.data;
  engine->records_length = records.length / sizeof(int32_t);
  engine->sync_record = (uint32_t *)sync_record.data;
  engine->open = true;
  engine->holders = 2;
  fs_pool_init(&engine->pool, workers, sync_workers, notify, engine);
  // From here on nothing can fail but for want of memory, which V8 does not survive either.
  napi_wrap(env, self, engine, object_collected, NULL, NULL);
  napi_create_reference(env, self, 1, &engine->self);
  napi_create_reference(env, arguments[2], 1, &engine->callback);
  for (size_t i = 0; i < LENGTH_OF(engine->arrays); i++) napi_create_reference(env, arguments[3 + i], 1, &engine->arrays[i]);
  napi_create_string_utf8(env, "nfs4:files", NAPI_AUTO_LENGTH, &resource_name);
  napi_async_init(env, self, resource_name, &engine->context);
  napi_add_async_cleanup_hook(env, environment_ends, engine, &engine->cleanup);
  return self;
}

// fileOperations(): string[]. The names of the operations, in the order of their numbers.
static napi_value file_operations(napi_env env, napi_callback_info info) {
  napi_value result, name;
  (void)info;
  if (napi_create_array_with_length(env, fs_entry_count, &result) != napi_ok) return NULL;
  for (size_t i = 0; i < fs_entry_count; i++) {
    if (napi_create_string_utf8(env, fs_entries[i].name, NAPI_AUTO_LENGTH, &name) != napi_ok) return NULL;
    napi_set_element(env, result, (uint32_t)i, name);
  }
  return result;
}

bool define_files(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"fileOperations", file_operations}};
  static const function_entry methods[] = {{"submit", submit}, {"perform", perform}, {"runAs", run_as}, {"close", close_engine}};
  identity_note_own();
  return define_functions(env, exports, functions, LENGTH_OF(functions)) &&
         define_class(env, exports, "FileEngine", construct, methods, LENGTH_OF(methods));
}
