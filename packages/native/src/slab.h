// Slabs: memory that JavaScript registers once, so that calls name it by a small number and pass integers only (reading a typed
// array's address through Node-API costs more than most of what is then done with it).
#ifndef NFS4_SLAB_H
#define NFS4_SLAB_H

#include "napi-util.h"

// The registered slab of that number, or NULL.
const view *find_slab(napi_env env, int32_t id);

#endif
