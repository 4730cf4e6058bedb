// The object that JavaScript holds. Arguments, names and results cross in arrays that are registered once; a call itself passes an
// operation number, a slot and its buffers. Buffers belong to the caller, which keeps them alive until the call has come back.
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "addon.h"
#include "fs-pool.h"

// The arguments, as 32-bit words; 64-bit ones are two words, low half first. fs-calls.ts writes them.
enum {
  A_FD, A_FD2, A_FLAGS, A_MODE, A_EXTRA, A_EXTRA2, A_OFFSET, A_OFFSET2 = A_OFFSET + 2, A_LENGTH = A_OFFSET2 + 2,
  A_NAME_LENGTH = A_LENGTH + 2, A_NAME2_LENGTH, A_HAS_IDENTITY, A_UID, A_GID, A_GROUP_COUNT, A_GROUPS
};

// One result: slot, the result in two words, the number of output words, the output.
#define RECORD_HEADER 4
#define RECORD_MAX (RECORD_HEADER + MAX_OUTPUT_WORDS)

#define MAX_BUFFERS 1024

typedef struct {
  fs_pool pool;
  uv_async_t async;
  napi_env env;
  napi_ref self, callback;  // self is strong while open
  napi_ref arrays[4];
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  const int32_t *arguments;
  size_t arguments_length;
  const uint8_t *names;
  size_t names_length;
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

static size_t write_record(uint32_t *record, int32_t slot, const fs_call *call) {
  record[0] = (uint32_t)slot;
  record[1] = (uint32_t)call->result;
  record[2] = (uint32_t)((uint64_t)call->result >> 32);
  record[3] = (uint32_t)call->output_count;
  memcpy(record + RECORD_HEADER, call->output, call->output_count * sizeof *record);
  return RECORD_HEADER + call->output_count;
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
      at += write_record(engine->records + at, job->slot, &job->call);
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

static int64_t argument64(const int32_t *words, size_t index) {
  return (int64_t)((uint64_t)(uint32_t)words[index] | (uint64_t)(uint32_t)words[index + 1] << 32);
}

// Fills in a call from the arrays; names and groups point into them.
static int read_arguments(const fs_engine *engine, fs_call *call, identity *as) {
  const int32_t *words = engine->arguments;
  *call = (fs_call){.fd = words[A_FD],
                    .fd2 = words[A_FD2],
                    .flags = (uint32_t)words[A_FLAGS],
                    .mode = (uint32_t)words[A_MODE],
                    .extra = (uint32_t)words[A_EXTRA],
                    .extra2 = (uint32_t)words[A_EXTRA2],
                    .offset = argument64(words, A_OFFSET),
                    .offset2 = argument64(words, A_OFFSET2),
                    .length = argument64(words, A_LENGTH)};
  const char *text = (const char *)engine->names;
  size_t room = engine->names_length;
  if (words[A_NAME_LENGTH] >= 0) {
    call->name = text;
    call->name_length = (size_t)words[A_NAME_LENGTH];
    if (call->name_length >= room || strnlen(text, room) != call->name_length) return -EINVAL;
    text += call->name_length + 1;
    room -= call->name_length + 1;
  }
  if (words[A_NAME2_LENGTH] >= 0) {
    call->name2 = text;
    call->name2_length = (size_t)words[A_NAME2_LENGTH];
    if (call->name2_length >= room || strnlen(text, room) != call->name2_length) return -EINVAL;
  }
  if (words[A_HAS_IDENTITY]) {
    *as = (identity){.uid = (uint32_t)words[A_UID],
                     .gid = (uint32_t)words[A_GID],
                     .group_count = (uint32_t)words[A_GROUP_COUNT],
                     .groups = (const uint32_t *)words + A_GROUPS};
    if (as->group_count > engine->arguments_length - A_GROUPS) return -EINVAL;
    call->as = as;
  }
  return 0;
}

// Buffers are absent, one Uint8Array, or an array of them. Returns their number or a negative errno.
static int read_buffers(napi_env env, napi_value value, struct iovec *buffers, size_t room) {
  bool is_array;
  uint32_t count;
  view bytes;
  if (is_absent(env, value)) return 0;
  if (napi_is_array(env, value, &is_array) != napi_ok) return -EINVAL;
  if (!is_array) {
    if (!get_view(env, value, &bytes)) return -EINVAL;
    buffers[0] = (struct iovec){bytes.data, bytes.length};
    return 1;
  }
  if (napi_get_array_length(env, value, &count) != napi_ok || count > room) return -EINVAL;
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !get_view(env, element, &bytes)) return -EINVAL;
    buffers[i] = (struct iovec){bytes.data, bytes.length};
  }
  return (int)count;
}

static size_t align8(size_t size) { return (size + 7) & ~(size_t)7; }

// A copy of the call with everything that it points to, except for what the buffers hold.
static fs_job *make_job(const fs_call *call) {
  size_t buffers_size = (size_t)call->buffer_count * sizeof(struct iovec);
  size_t groups_size = call->as ? call->as->group_count * sizeof(uint32_t) : 0;
  size_t name_size = call->name ? call->name_length + 1 : 0, name2_size = call->name2 ? call->name2_length + 1 : 0;
  fs_job *job = malloc(align8(sizeof *job) + buffers_size + align8(groups_size) + name_size + name2_size);
  if (!job) return NULL;
  char *rest = (char *)job + align8(sizeof *job);
  job->call = *call;
  if (buffers_size) job->call.buffers = memcpy(rest, call->buffers, buffers_size);
  rest += buffers_size;
  if (call->as) {
    job->as = *call->as;
    job->as.groups = groups_size ? memcpy(rest, call->as->groups, groups_size) : NULL;
    job->call.as = &job->as;
    rest += align8(groups_size);
  }
  if (call->name) job->call.name = memcpy(rest, call->name, name_size);
  rest += name_size;
  if (call->name2) job->call.name2 = memcpy(rest, call->name2, name2_size);
  return job;
}

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
  int outcome = read_arguments(engine, &call, &as);
  if (outcome < 0) return make_int32(env, outcome);
  call.buffers = buffers;
  call.buffer_count = read_buffers(env, arguments[2], buffers, MAX_BUFFERS);
  if (call.buffer_count < 0) return make_int32(env, call.buffer_count);
  fs_job *job = make_job(&call);
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
  int outcome = read_arguments(engine, &call, &as);
  if (outcome == 0) {
    call.buffers = buffers;
    call.buffer_count = read_buffers(env, arguments[1], buffers, MAX_BUFFERS);
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
  write_record(engine->sync_record, 0, &call);
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
  int outcome = read_arguments(engine, &call, &as);
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
  if (words.length <= A_GROUPS * sizeof(int32_t) || records.length < RECORD_MAX * sizeof(int32_t) || sync_record.length < RECORD_MAX * sizeof(int32_t))
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
  engine->arguments = (const int32_t *)words.data;
  engine->arguments_length = words.length / sizeof(int32_t);
  engine->names = names.data;
  engine->names_length = names.length;
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
