// Receiving: packets are laid into the slab one behind the other, each on the offset (mod 16) that its port asks for, so that
// what matters inside the packet is aligned.
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "packet-port.h"
#include "packet-stream.h"

static size_t round_up(size_t offset) { return (offset + 15) & ~(size_t)15; }

size_t note_packet(packet_port *port, uint32_t index, size_t offset, size_t length) {
  port->packets[2 * index] = (int32_t)offset;
  port->packets[2 * index + 1] = (int32_t)length;
  port->statistics[RECEIVED_PACKETS]++;
  port->statistics[RECEIVED_BYTES] += (double)length;
  return round_up(offset + length) + port->alignment;
}

int receive_from_device(packet_port *port, uint32_t budget) {
  uint32_t count = 0;
  size_t at = port->alignment;
  while (count < budget && at + port->max_packet <= port->slab.length) {
    ssize_t length = read(port->fd, port->slab.data + at, port->max_packet);
    port->statistics[RECEIVE_CALLS]++;
    if (length < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || count) return (int)count;
      return -errno;
    }
    at = note_packet(port, count++, at, (size_t)length);
  }
  return (int)count | RECEIVE_MORE;
}

// One call for many messages. Their lengths are not known before, so each gets a slot of the largest size.
int receive_from_messages(packet_port *port, uint32_t budget) {
  size_t stride = round_up(port->alignment + port->max_packet);
  size_t slots = port->slab.length / stride;
  if (budget > slots) budget = (uint32_t)slots;
  if (budget > MAX_MESSAGES) budget = MAX_MESSAGES;
  for (uint32_t i = 0; i < budget; i++) {
    port->segments[i] = (struct iovec){port->slab.data + i * stride + port->alignment, port->max_packet};
    port->messages[i].msg_hdr = (struct msghdr){.msg_iov = &port->segments[i], .msg_iovlen = 1};
  }
  int received;
  do received = recvmmsg(port->fd, port->messages, budget, MSG_DONTWAIT, NULL);
  while (received < 0 && errno == EINTR);
  port->statistics[RECEIVE_CALLS]++;
  if (received < 0) return errno == EAGAIN ? 0 : -errno;
  uint32_t count = 0;
  for (int i = 0; i < received; i++) {
    size_t length = port->messages[i].msg_len;
    if (length == 0 && port->sequenced) return count ? (int)count | RECEIVE_MORE : -EPIPE;
    if (port->messages[i].msg_hdr.msg_flags & MSG_TRUNC) port->statistics[TRUNCATED]++;
    else note_packet(port, count++, (size_t)i * stride + port->alignment, length);
  }
  return (uint32_t)received == budget ? (int)count | RECEIVE_MORE : (int)count;
}

int receive_from_stream(packet_port *port, uint32_t budget) {
  stream_state *stream = &port->stream;
  uint32_t count = 0;
  size_t at = port->alignment;
  while (count < budget && at + port->max_packet <= port->slab.length) {
    size_t buffered = stream->end - stream->begin;
    uint32_t length = 0;
    if (buffered >= STREAM_MARK) {
      memcpy(&length, stream->incoming + stream->begin, STREAM_MARK);
      length = ntohl(length);
      if (length == 0 || length > port->max_packet) return count ? (int)count | RECEIVE_MORE : -EPROTO;
    }
    if (buffered >= STREAM_MARK && buffered - STREAM_MARK >= length) {
      memcpy(port->slab.data + at, stream->incoming + stream->begin + STREAM_MARK, length);
      stream->begin += STREAM_MARK + length;
      at = note_packet(port, count++, at, length);
      continue;
    }
    int filled = stream_fill(port);
    if (filled == -EAGAIN) return (int)count;
    if (filled < 0) return count ? (int)count | RECEIVE_MORE : filled;
  }
  return (int)count | RECEIVE_MORE;
}
