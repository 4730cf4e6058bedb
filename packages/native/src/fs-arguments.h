// How arguments and results lie in the arrays that JavaScript shares with the addon.
#ifndef NFS4_FS_ARGUMENTS_H
#define NFS4_FS_ARGUMENTS_H

#include "fs-pool.h"
#include "napi-util.h"

// One result: slot, the result in two words, the number of output words, the output.
#define RECORD_HEADER 4
#define RECORD_MAX (RECORD_HEADER + MAX_OUTPUT_WORDS)

#define MAX_BUFFERS 1024

// The fewest words that arguments take.
#define FS_ARGUMENT_WORDS 19

// Written by file-engine.ts: integers, and up to two names, each ended by a NUL.
typedef struct {
  const int32_t *words;
  size_t word_count;
  const char *names;
  size_t names_size;
} fs_arguments;

// Fills in a call; names and groups point into the arrays. 0 or a negative errno.
int fs_read_arguments(const fs_arguments *arguments, fs_call *call, identity *as);

// Buffers are absent, one Uint8Array, or an array of them. Returns their number or a negative errno.
int fs_read_buffers(napi_env env, napi_value value, struct iovec *buffers, size_t room);

// A copy of the call with everything that it points to, except for what the buffers hold.
fs_job *fs_make_job(const fs_call *call);

// Returns how many words the record takes, at most RECORD_MAX.
size_t fs_write_record(uint32_t *record, int32_t slot, const fs_call *call);

#endif
