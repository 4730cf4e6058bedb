// Sending: a batch of packets, each gathered from a piece of the header slab and pieces of the caller's arrays, described by
// integers. Per packet: headerOffset, headerLength, sliceCount, then per slice: index into the array of slices, offset, length.
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "packet-port.h"
#include "packet-stream.h"

// Where the parser stands, and what it gathers into.
typedef struct {
  napi_env env;
  packet_port *port;
  napi_value slices;
  size_t at;  // in descriptors
} cursor;

// Addresses are looked up once per batch and array: that is the dearest part of a call.
static const slice_entry *find_slice(cursor *c, int32_t index) {
  packet_port *port = c->port;
  if (index < 0 || index >= 1 << 16) return NULL;
  if ((size_t)index >= port->slices_capacity) {
    size_t capacity = ((size_t)index + 1) * 2;
    slice_entry *grown = realloc(port->slices, capacity * sizeof *grown);
    if (!grown) return NULL;
    memset(grown + port->slices_capacity, 0, (capacity - port->slices_capacity) * sizeof *grown);
    port->slices = grown;
    port->slices_capacity = capacity;
  }
  slice_entry *entry = &port->slices[index];
  if (entry->batch == port->batch) return entry;
  napi_value element;
  napi_typedarray_type type;
  void *data;
  if (napi_get_element(c->env, c->slices, (uint32_t)index, &element) != napi_ok) return NULL;
  if (napi_get_typedarray_info(c->env, element, &type, &entry->length, &data, NULL, NULL) != napi_ok || type != napi_uint8_array) return NULL;
  entry->data = data;
  entry->batch = port->batch;
  return entry;
}

static bool add_segment(struct iovec *segment, const uint8_t *data, size_t available, int32_t offset, int32_t length, size_t *total) {
  if (offset < 0 || length < 0 || (size_t)offset > available || (size_t)length > available - (size_t)offset) return false;
  *segment = (struct iovec){(void *)(data + offset), (size_t)length};
  *total += (size_t)length;
  return *total <= LARGEST_PACKET;
}

// Gathers the next packet into at most `room` segments: how many it took; 0 if it needs more room than that; or a negative errno.
static int gather(cursor *c, struct iovec *segments, size_t room, size_t *total) {
  packet_port *port = c->port;
  const int32_t *d = port->descriptors + c->at;
  size_t left = port->descriptors_length - c->at;
  if (left < 3 || d[2] < 0 || (size_t)d[2] > (left - 3) / 3) return -EFAULT;
  size_t slices = (size_t)d[2];
  if (slices + 1 > MAX_SEGMENTS - 1) return -EMSGSIZE;
  if (slices + 1 > room) return 0;
  *total = 0;
  if (!add_segment(&segments[0], port->headers.data, port->headers.length, d[0], d[1], total)) return -EFAULT;
  for (size_t i = 0; i < slices; i++) {
    const int32_t *s = d + 3 + 3 * i;
    const slice_entry *slice = find_slice(c, s[0]);
    if (!slice || !add_segment(&segments[i + 1], slice->data, slice->length, s[1], s[2], total)) return -EFAULT;
  }
  c->at += 3 + 3 * slices;
  return (int)slices + 1;
}

static void note_sent(packet_port *port, size_t bytes) {
  port->statistics[SENT_PACKETS]++;
  port->statistics[SENT_BYTES] += (double)bytes;
}

static int stopped_after(packet_port *port, uint32_t sent, int error) {
  if (error == -EAGAIN) port->statistics[SEND_BLOCKED]++;
  return sent ? (int)sent : error;
}

// A device takes one packet per call.
static int send_to_device(cursor *c, uint32_t count) {
  packet_port *port = c->port;
  uint32_t sent = 0;
  while (sent < count) {
    size_t total;
    int segments = gather(c, port->segments, MAX_SEGMENTS, &total);
    if (segments < 0) return stopped_after(port, sent, segments);
    ssize_t written;
    do written = writev(port->fd, port->segments, segments);
    while (written < 0 && errno == EINTR);
    port->statistics[SEND_CALLS]++;
    if (written < 0) return stopped_after(port, sent, -errno);
    note_sent(port, total);
    sent++;
  }
  return (int)sent;
}

static int send_messages(cursor *c, uint32_t count) {
  packet_port *port = c->port;
  uint32_t sent = 0;
  while (sent < count) {
    uint32_t gathered = 0;
    size_t used = 0;
    int stop = 0;
    size_t totals[MAX_MESSAGES];
    while (sent + gathered < count && gathered < MAX_MESSAGES) {
      int segments = gather(c, port->segments + used, MAX_SEGMENTS - used, &totals[gathered]);
      if (segments == 0) break;  // the next round has room
      if (segments < 0) {
        stop = segments;
        break;
      }
      port->messages[gathered++].msg_hdr = (struct msghdr){.msg_iov = port->segments + used, .msg_iovlen = (size_t)segments};
      used += (size_t)segments;
    }
    if (gathered == 0) return stopped_after(port, sent, stop);
    int accepted;
    do accepted = sendmmsg(port->fd, port->messages, gathered, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (accepted < 0 && errno == EINTR);
    port->statistics[SEND_CALLS]++;
    if (accepted < 0) return stopped_after(port, sent, -errno);
    for (int i = 0; i < accepted; i++) note_sent(port, totals[i]);
    sent += (uint32_t)accepted;
    if ((uint32_t)accepted < gathered) return stopped_after(port, sent, -EAGAIN);
    if (stop) return (int)sent;
  }
  return (int)sent;
}

// A frame that the socket took in part counts as sent: its rest is kept and goes first next time.
static int send_to_stream(cursor *c, uint32_t count) {
  packet_port *port = c->port;
  uint32_t sent = 0;
  int flushed = stream_flush(port);
  if (flushed < 0) return stopped_after(port, 0, flushed);
  while (sent < count) {
    size_t total;
    int segments = gather(c, port->segments + 1, MAX_SEGMENTS - 1, &total);
    if (segments < 0) return stopped_after(port, sent, segments);
    uint32_t mark = htonl((uint32_t)total);
    port->segments[0] = (struct iovec){&mark, STREAM_MARK};
    struct msghdr message = {.msg_iov = port->segments, .msg_iovlen = (size_t)segments + 1};
    ssize_t written;
    do written = sendmsg(port->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (written < 0 && errno == EINTR);
    port->statistics[SEND_CALLS]++;
    if (written < 0) return stopped_after(port, sent, -errno);
    note_sent(port, total);
    sent++;
    if ((size_t)written == total + STREAM_MARK) continue;
    stream_keep(port, port->segments, (size_t)segments + 1, (size_t)written);
    return stopped_after(port, sent, -EAGAIN);
  }
  return (int)sent;
}

int send_packets(napi_env env, packet_port *port, uint32_t start, uint32_t count, napi_value slices) {
  if (start > port->descriptors_length) return -EFAULT;
  if (count > INT_MAX) count = INT_MAX;
  cursor c = {env, port, slices, start};
  if (++port->batch == 0) {  // after 2^32 batches old entries would look fresh
    port->batch = 1;
    for (size_t i = 0; i < port->slices_capacity; i++) port->slices[i].batch = 0;
  }
  switch (port->kind) {
    case KIND_MESSAGE:
      return send_messages(&c, count);
    case KIND_STREAM:
      return send_to_stream(&c, count);
    default:
      return send_to_device(&c, count);
  }
}
