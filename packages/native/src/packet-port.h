// A descriptor over which whole packets go, with the memory that JavaScript has registered for it.
#ifndef NFS4_PACKET_PORT_H
#define NFS4_PACKET_PORT_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "napi-util.h"

// Set in receive()'s result when more packets may be waiting.
#define RECEIVE_MORE (1 << 16)

// A device takes one packet per write, so this bounds the segments of one packet; sockets share it over a batch.
#define MAX_SEGMENTS 1024
#define MAX_MESSAGES 64

// No packet is larger: 64 KiB of IP, link and virtio headers, and room to spare.
#define LARGEST_PACKET (1 << 17)

typedef enum { KIND_DEVICE, KIND_MESSAGE, KIND_STREAM } port_kind;

enum { RECEIVED_PACKETS, RECEIVED_BYTES, RECEIVE_CALLS, TRUNCATED, SENT_PACKETS, SENT_BYTES, SEND_CALLS, SEND_BLOCKED, STATISTICS };

// Frames with a 4-byte big-endian length before each, as QEMU's `-netdev stream` speaks. Bytes cross a staging buffer, so that each
// frame can be put on its boundary in the slab.
typedef struct {
  uint8_t *incoming;
  size_t begin, end;  // what has been read and not handed out
  uint8_t *outgoing;
  size_t outgoing_begin, outgoing_end;  // the rest of a frame that was written in part
} stream_state;

typedef struct {
  const uint8_t *data;
  size_t length;
  uint32_t batch;  // the batch in which data and length were looked up
} slice_entry;

typedef struct {
  int fd;
  port_kind kind;
  bool sequenced;  // an empty message means that the peer has closed
  uint32_t alignment, max_packet;
  view slab, headers;
  int32_t *packets;  // pairs of offset and length, filled by receive()
  size_t packets_capacity;
  const int32_t *descriptors;  // read by send()
  size_t descriptors_length;
  double *statistics;
  napi_ref references[5];  // to the five arrays
  napi_ref self;           // strong while open

  slice_entry *slices;
  size_t slices_capacity;
  uint32_t batch;

  struct iovec segments[MAX_SEGMENTS];
  struct mmsghdr messages[MAX_MESSAGES];
  stream_state stream;
} packet_port;

// Fills at most `budget` entries of `packets`: the count (with RECEIVE_MORE), or a negative errno if there was none.
int receive_from_device(packet_port *port, uint32_t budget);
int receive_from_messages(packet_port *port, uint32_t budget);
int receive_from_stream(packet_port *port, uint32_t budget);

// Notes one packet and returns the offset at which the next one may begin.
size_t note_packet(packet_port *port, uint32_t index, size_t offset, size_t length);

// Sends the packets that the descriptors from `start` on describe: how many went, or a negative errno if none did.
int send_packets(napi_env env, packet_port *port, uint32_t start, uint32_t count, napi_value slices);

#endif
