// The few idioms of Node-API that every file here uses. Two kinds of failure are kept apart: a wrong *argument* is a bug of the
// caller and throws a TypeError; a failed *system call* is an ordinary outcome and comes back as a negative errno.
#ifndef NFS4_NAPI_UTIL_H
#define NFS4_NAPI_UTIL_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

// The memory of a typed array. `data` is good for as long as the array is referenced and its buffer is neither detached nor moved.
typedef struct {
  uint8_t *data;
  size_t length;  // in bytes
} view;

// Throws a TypeError (unless an exception is pending already) and returns NULL, so that a callback can `return fail(env, …)`.
napi_value fail(napi_env env, const char *message);

// Fetches exactly `count` arguments (missing ones are undefined) and optionally the native object behind `this`.
bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);
bool get_this(napi_env env, napi_callback_info info, size_t count, napi_value *arguments, void **object);

// Each of these returns false with a TypeError pending if the value is of another type.
bool get_int32(napi_env env, napi_value value, int32_t *result);
bool get_uint32(napi_env env, napi_value value, uint32_t *result);
bool get_bool(napi_env env, napi_value value, bool *result);
bool get_view(napi_env env, napi_value value, view *result);
bool get_int32_array(napi_env env, napi_value value, view *result);
// A NUL-terminated copy of a string into `buffer`; strings that do not fit throw.
bool get_string(napi_env env, napi_value value, char *buffer, size_t size);

// True if the value is null or undefined.
bool is_absent(napi_env env, napi_value value);

napi_value make_int32(napi_env env, int32_t value);
napi_value make_double(napi_env env, double value);
napi_value make_undefined(napi_env env);
void set_number(napi_env env, napi_value object, const char *name, double value);
void set_string(napi_env env, napi_value object, const char *name, const char *value);

// Defines functions on `exports`.
typedef struct {
  const char *name;
  napi_callback callback;
} function_entry;
bool define_functions(napi_env env, napi_value exports, const function_entry *entries, size_t count);
bool define_class(napi_env env, napi_value exports, const char *name, napi_callback constructor, const function_entry *methods,
                  size_t count);

#endif
