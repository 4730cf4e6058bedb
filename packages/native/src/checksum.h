#ifndef NFS4_CHECKSUM_H
#define NFS4_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

// Adds the Internet checksum's 16-bit words (RFC 1071), as they lie in memory, to `sum`. An odd last byte counts as the first
// byte of its word. The result is not folded, so that pieces of *even* length can be summed one after another.
uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t length);

// Folds to 16 bits, in memory order: store it with memcpy, or swap it with ntohs to use it as a number.
uint16_t checksum_fold(uint64_t sum);

#endif
