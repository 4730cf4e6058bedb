// Readiness of one descriptor, through libuv's loop. A watcher fires once per arming. Disarming costs nothing at first: only if
// an event arrives that nobody has asked for is the descriptor really taken out of epoll, so that the usual round (an event,
// everything read, armed again within the same turn) makes no system call at all, and still no storm of callbacks can arise.
#include <stdlib.h>
#include <uv.h>

#include "addon.h"

#define ALL_EVENTS (UV_READABLE | UV_WRITABLE | UV_DISCONNECT)

typedef struct {
  uv_poll_t poll;
  napi_env env;
  napi_ref self;      // strong while open: a watched descriptor keeps its callback alive
  napi_ref callback;  // (events: number) => void
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  int wanted;  // what JavaScript has asked for and not got yet
  int polled;  // what libuv watches, at least `wanted`
  int holders; // the object in JavaScript, the handle in the loop, a running callback: the last one frees
  bool open;
} watcher;

static void release(watcher *w) {
  if (--w->holders == 0) free(w);
}

static void handle_closed(uv_handle_t *handle) {
  watcher *w = handle->data;
  napi_remove_async_cleanup_hook(w->cleanup);
  release(w);
}

static void start_closing(watcher *w) {
  if (!w->open) return;
  w->open = false;
  w->wanted = 0;
  uv_close((uv_handle_t *)&w->poll, handle_closed);
}

// The environment ends (the process, or a worker): the loop must be rid of the handle before it goes.
static void environment_ends(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  start_closing(data);
}

static void object_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

static void call_back(watcher *w, int events) {
  napi_env env = w->env;
  napi_handle_scope scope;
  napi_value callback, receiver, argument, exception;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, w->callback, &callback) == napi_ok && napi_get_reference_value(env, w->self, &receiver) == napi_ok) {
    argument = make_int32(env, events);
    napi_status status = napi_make_callback(env, w->context, receiver, callback, 1, &argument, NULL);
    if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &exception) == napi_ok)
      napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

static void on_event(uv_poll_t *handle, int status, int events) {
  watcher *w = handle->data;
  if (status < 0) {  // libuv has stopped watching after EPOLLERR: whoever reads or writes next learns the error
    w->polled = 0;
    events = w->wanted;
  }
  int fired = events & w->wanted;
  w->wanted &= ~fired;
  if (fired) {
    w->holders++;
    call_back(w, fired);
    release(w);
    return;
  }
  w->polled = w->wanted;
  if (w->wanted) uv_poll_start(handle, w->wanted, on_event);
  else uv_poll_stop(handle);
}

// new Watcher(fd: number, callback: (events: number) => void). The descriptor stays the caller's and must outlive the watcher.
static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value arguments[2], self, resource_name;
  size_t count = 2;
  int32_t fd;
  napi_valuetype type;
  uv_loop_t *loop;
  if (napi_get_cb_info(env, info, &count, arguments, &self, NULL) != napi_ok || !get_int32(env, arguments[0], &fd)) return NULL;
  if (napi_typeof(env, arguments[1], &type) != napi_ok || type != napi_function) return fail(env, "a callback was expected");
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return NULL;
  watcher *w = calloc(1, sizeof *w);
  if (!w) return fail(env, "no memory");
  int error = uv_poll_init(loop, &w->poll, fd);
  if (error) {
    free(w);
    return fail(env, uv_strerror(error));
  }
  w->env = env;
  w->poll.data = w;
  w->open = true;
  w->holders = 2;
  // From here on nothing can fail but for want of memory, which V8 does not survive either.
  napi_wrap(env, self, w, object_collected, NULL, NULL);
  napi_create_reference(env, self, 1, &w->self);
  napi_create_reference(env, arguments[1], 1, &w->callback);
  napi_create_string_utf8(env, "nfs4:watcher", NAPI_AUTO_LENGTH, &resource_name);
  napi_async_init(env, self, resource_name, &w->context);
  napi_add_async_cleanup_hook(env, environment_ends, w, &w->cleanup);
  return self;
}

// arm(events: number): 0 | -errno. Events add up with those armed before.
static napi_value arm(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t events;
  watcher *w;
  if (!get_this(env, info, 1, &argument, (void **)&w) || !get_int32(env, argument, &events)) return NULL;
  if (!w->open) return make_int32(env, UV_EBADF);
  w->wanted |= events & ALL_EVENTS;
  if ((w->polled & w->wanted) == w->wanted) return make_int32(env, 0);
  w->polled = w->wanted;
  return make_int32(env, uv_poll_start(&w->poll, w->wanted, on_event));
}

// disarm(): void. No callback follows until the next arm().
static napi_value disarm(napi_env env, napi_callback_info info) {
  watcher *w;
  if (!get_this(env, info, 0, NULL, (void **)&w)) return NULL;
  w->wanted = 0;
  return make_undefined(env);
}

// close(): void. No callback follows; the descriptor may be closed as soon as this returns.
static napi_value close_watcher(napi_env env, napi_callback_info info) {
  watcher *w;
  if (!get_this(env, info, 0, NULL, (void **)&w)) return NULL;
  if (w->open) {
    start_closing(w);
    napi_async_destroy(env, w->context);
    napi_delete_reference(env, w->callback);
    napi_delete_reference(env, w->self);
  }
  return make_undefined(env);
}

// setReferenced(keepAlive: boolean): void. Whether an armed watcher keeps the process alive.
static napi_value set_referenced(napi_env env, napi_callback_info info) {
  napi_value argument;
  bool keep_alive;
  watcher *w;
  if (!get_this(env, info, 1, &argument, (void **)&w) || !get_bool(env, argument, &keep_alive)) return NULL;
  if (w->open && keep_alive) uv_ref((uv_handle_t *)&w->poll);
  if (w->open && !keep_alive) uv_unref((uv_handle_t *)&w->poll);
  return make_undefined(env);
}

bool define_watcher(napi_env env, napi_value exports) {
  static const function_entry methods[] = {
      {"arm", arm}, {"disarm", disarm}, {"close", close_watcher}, {"setReferenced", set_referenced}};
  return define_class(env, exports, "Watcher", construct, methods, LENGTH_OF(methods));
}
