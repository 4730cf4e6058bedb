// Between the arrays that JavaScript shares and the calls.
#include "fs-arguments.h"

#include <stdlib.h>
#include <string.h>

// The arguments, as 32-bit words; 64-bit ones are two words, low half first. file-engine.ts writes them.
enum {
  A_FD, A_FD2, A_FLAGS, A_MODE, A_EXTRA, A_EXTRA2, A_OFFSET, A_OFFSET2 = A_OFFSET + 2, A_LENGTH = A_OFFSET2 + 2,
  A_NAME_LENGTH = A_LENGTH + 2, A_NAME2_LENGTH, A_HAS_IDENTITY, A_UID, A_GID, A_GROUP_COUNT, A_GROUPS
};

_Static_assert(A_GROUPS + 1 <= FS_ARGUMENT_WORDS, "room for one group");

static int64_t argument64(const int32_t *words, size_t index) {
  return (int64_t)((uint64_t)(uint32_t)words[index] | (uint64_t)(uint32_t)words[index + 1] << 32);
}

int fs_read_arguments(const fs_arguments *arguments, fs_call *call, identity *as) {
  const int32_t *words = arguments->words;
  *call = (fs_call){.fd = words[A_FD],
                    .fd2 = words[A_FD2],
                    .flags = (uint32_t)words[A_FLAGS],
                    .mode = (uint32_t)words[A_MODE],
                    .extra = (uint32_t)words[A_EXTRA],
                    .extra2 = (uint32_t)words[A_EXTRA2],
                    .offset = argument64(words, A_OFFSET),
                    .offset2 = argument64(words, A_OFFSET2),
                    .length = argument64(words, A_LENGTH)};
  const char *text = arguments->names;
  size_t room = arguments->names_size;
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
    if (as->group_count > arguments->word_count - A_GROUPS) return -EINVAL;
    call->as = as;
  }
  return 0;
}

int fs_read_buffers(napi_env env, napi_value value, struct iovec *buffers, size_t room) {
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

fs_job *fs_make_job(const fs_call *call) {
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

size_t fs_write_record(uint32_t *record, int32_t slot, const fs_call *call) {
  record[0] = (uint32_t)slot;
  record[1] = (uint32_t)call->result;
  record[2] = (uint32_t)((uint64_t)call->result >> 32);
  record[3] = (uint32_t)call->output_count;
  memcpy(record + RECORD_HEADER, call->output, call->output_count * sizeof *record);
  return RECORD_HEADER + call->output_count;
}
