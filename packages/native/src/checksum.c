// The Internet checksum (RFC 1071). Ones' complement sums may be taken in any word size and byte order (§2), so the loop adds
// 32-bit words into 64-bit lanes, which compilers turn into vector code; the widest one that the machine has is chosen at load.
#include "checksum.h"

#include <arpa/inet.h>
#include <string.h>

#include "addon.h"
#include "slab.h"

#if defined(__x86_64__) && defined(__GLIBC__)
#define WIDEST_VECTORS __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define WIDEST_VECTORS
#endif

// 2^32 words would be needed to overflow a lane: far more than any packet.
WIDEST_VECTORS
static uint64_t add_words(const uint8_t *data, size_t words) {
  uint64_t sum = 0;
  for (size_t i = 0; i < words; i++) {
    uint32_t word;
    memcpy(&word, data + 4 * i, sizeof word);
    sum += word;
  }
  return sum;
}

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t length) {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum += add_words(data, length / 4);
  if (length & 2) {
    uint16_t half;
    memcpy(&half, data + (length & ~(size_t)3), sizeof half);
    sum += half;
  }
  if (length & 1) {
    uint8_t last[2] = {data[length - 1], 0};
    uint16_t half;
    memcpy(&half, last, sizeof half);
    sum += half;
  }
  return sum;
}

uint16_t checksum_fold(uint64_t sum) {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t)sum;
}

// inetChecksum(slab: number, offset: number, length: number, seed: number): number
static napi_value inet_checksum(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  int32_t id;
  uint32_t offset, length, seed;
  if (!get_arguments(env, info, 4, arguments) || !get_int32(env, arguments[0], &id) || !get_uint32(env, arguments[1], &offset) ||
      !get_uint32(env, arguments[2], &length) || !get_uint32(env, arguments[3], &seed))
    return NULL;
  const view *slab = find_slab(env, id);
  if (!slab) return fail(env, "no such slab");
  if (offset > slab->length || length > slab->length - offset) return fail(env, "the range lies outside of the slab");
  // The seed is a sum of big-endian words; fold it and turn it to memory order.
  uint32_t folded = (seed >> 16) + (seed & 0xffff);
  folded = (folded >> 16) + (folded & 0xffff);
  return make_int32(env, ntohs(checksum_fold(checksum_add(htons((uint16_t)folded), slab->data + offset, length))));
}

bool define_checksum(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"inetChecksum", inet_checksum}};
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
