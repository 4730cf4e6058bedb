#include "napi-util.h"

napi_value fail(napi_env env, const char *message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, NULL, message);
  return NULL;
}

bool get_this(napi_env env, napi_callback_info info, size_t count, napi_value *arguments, void **object) {
  size_t given = count;
  napi_value self;
  if (napi_get_cb_info(env, info, &given, arguments, object ? &self : NULL, NULL) != napi_ok) return false;
  if (object && napi_unwrap(env, self, object) != napi_ok) {
    fail(env, "called on an object of another kind");
    return false;
  }
  return true;
}

bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  return get_this(env, info, count, arguments, NULL);
}

bool get_int32(napi_env env, napi_value value, int32_t *result) {
  if (napi_get_value_int32(env, value, result) == napi_ok) return true;
  fail(env, "a 32-bit integer was expected");
  return false;
}

bool get_uint32(napi_env env, napi_value value, uint32_t *result) {
  if (napi_get_value_uint32(env, value, result) == napi_ok) return true;
  fail(env, "an unsigned 32-bit integer was expected");
  return false;
}

bool get_bool(napi_env env, napi_value value, bool *result) {
  if (napi_get_value_bool(env, value, result) == napi_ok) return true;
  fail(env, "a boolean was expected");
  return false;
}

bool get_view(napi_env env, napi_value value, view *result) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, &result->length, &data, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    fail(env, "a Uint8Array was expected");
    return false;
  }
  result->data = data;
  return true;
}

bool get_int32_array(napi_env env, napi_value value, view *result) {
  napi_typedarray_type type;
  void *data;
  size_t elements;
  if (napi_get_typedarray_info(env, value, &type, &elements, &data, NULL, NULL) != napi_ok || type != napi_int32_array) {
    fail(env, "an Int32Array was expected");
    return false;
  }
  result->data = data;
  result->length = elements * sizeof(int32_t);
  return true;
}

bool get_string(napi_env env, napi_value value, char *buffer, size_t size) {
  size_t needed;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &needed) != napi_ok) {
    fail(env, "a string was expected");
    return false;
  }
  if (needed >= size) {
    fail(env, "the string is too long");
    return false;
  }
  return napi_get_value_string_utf8(env, value, buffer, size, &needed) == napi_ok;
}

bool is_absent(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && (type == napi_undefined || type == napi_null);
}

napi_value make_int32(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

napi_value make_double(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

napi_value make_undefined(napi_env env) {
  napi_value result = NULL;
  napi_get_undefined(env, &result);
  return result;
}

void set_number(napi_env env, napi_value object, const char *name, double value) {
  napi_set_named_property(env, object, name, make_double(env, value));
}

void set_string(napi_env env, napi_value object, const char *name, const char *value) {
  napi_value string;
  if (napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &string) == napi_ok) napi_set_named_property(env, object, name, string);
}

bool define_functions(napi_env env, napi_value exports, const function_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    if (napi_create_function(env, entries[i].name, NAPI_AUTO_LENGTH, entries[i].callback, NULL, &function) != napi_ok) return false;
    if (napi_set_named_property(env, exports, entries[i].name, function) != napi_ok) return false;
  }
  return true;
}

bool define_class(napi_env env, napi_value exports, const char *name, napi_callback constructor, const function_entry *methods,
                  size_t count) {
  napi_property_descriptor properties[16] = {0};
  if (count > LENGTH_OF(properties)) return false;
  for (size_t i = 0; i < count; i++) {
    properties[i].utf8name = methods[i].name;
    properties[i].method = methods[i].callback;
    properties[i].attributes = napi_default_method;
  }
  napi_value class;
  if (napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, NULL, count, properties, &class) != napi_ok) return false;
  return napi_set_named_property(env, exports, name, class) == napi_ok;
}
