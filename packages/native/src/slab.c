#include "slab.h"

#include <stdlib.h>

#include "addon.h"

#define MAX_SLABS 256

typedef struct {
  view views[MAX_SLABS];
  napi_ref references[MAX_SLABS];
} slab_table;

const view *find_slab(napi_env env, int32_t id) {
  slab_table *table;
  if (id < 0 || id >= MAX_SLABS || napi_get_instance_data(env, (void **)&table) != napi_ok) return NULL;
  return table->references[id] ? &table->views[id] : NULL;
}

// registerSlab(memory: Uint8Array): number
static napi_value register_slab(napi_env env, napi_callback_info info) {
  napi_value argument;
  slab_table *table;
  view memory;
  if (!get_arguments(env, info, 1, &argument) || !get_view(env, argument, &memory)) return NULL;
  if (napi_get_instance_data(env, (void **)&table) != napi_ok) return NULL;
  for (int32_t id = 0; id < MAX_SLABS; id++) {
    if (table->references[id]) continue;
    if (napi_create_reference(env, argument, 1, &table->references[id]) != napi_ok) return NULL;
    table->views[id] = memory;
    return make_int32(env, id);
  }
  return fail(env, "too many slabs are registered");
}

// unregisterSlab(id: number): void
static napi_value unregister_slab(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t id;
  slab_table *table;
  if (!get_arguments(env, info, 1, &argument) || !get_int32(env, argument, &id)) return NULL;
  if (napi_get_instance_data(env, (void **)&table) != napi_ok) return NULL;
  if (id < 0 || id >= MAX_SLABS || !table->references[id]) return fail(env, "no such slab");
  napi_delete_reference(env, table->references[id]);
  table->references[id] = NULL;
  return make_undefined(env);
}

static void free_table(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);  // the references die with the environment
}

bool define_slabs(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"registerSlab", register_slab}, {"unregisterSlab", unregister_slab}};
  slab_table *table = calloc(1, sizeof *table);
  if (!table || napi_set_instance_data(env, table, free_table, NULL) != napi_ok) return false;
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
