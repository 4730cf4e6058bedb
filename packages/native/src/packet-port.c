// The object that JavaScript holds: its memory, its descriptor, its end.
#include "packet-port.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "addon.h"
#include "packet-stream.h"

static void close_port(packet_port *port) {
  if (port->fd < 0) return;
  close(port->fd);
  port->fd = -1;
  stream_free(port);
}

// After close(), or when the environment ends: an open port is never collected, for a watcher may have its descriptor.
static void object_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  packet_port *port = data;
  close_port(port);
  free(port->slices);
  free(port);
}

static void drop_references(napi_env env, packet_port *port) {
  if (port->self) napi_delete_reference(env, port->self);
  port->self = NULL;
  for (size_t i = 0; i < LENGTH_OF(port->references); i++) {
    if (port->references[i]) napi_delete_reference(env, port->references[i]);
    port->references[i] = NULL;
  }
}

static bool is_sequenced(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static bool get_statistics(napi_env env, napi_value value, double **result) {
  napi_typedarray_type type;
  void *data;
  size_t elements;
  if (napi_get_typedarray_info(env, value, &type, &elements, &data, NULL, NULL) != napi_ok || type != napi_float64_array ||
      elements < STATISTICS) {
    fail(env, "a Float64Array with an element for each statistic was expected");
    return false;
  }
  *result = data;
  return true;
}

// new PacketPort(fd: number, kind: number, alignment: number, maxPacket: number, slab: Uint8Array, packets: Int32Array,
//   headers: Uint8Array, descriptors: Int32Array, statistics: Float64Array)
// Owns the descriptor from here on. None of the arrays may be detached, moved or transferred while the port is open.
static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value arguments[9], self;
  size_t count = 9;
  int32_t fd, kind;
  uint32_t alignment, max_packet;
  view slab, packets, headers, descriptors;
  double *statistics;
  if (napi_get_cb_info(env, info, &count, arguments, &self, NULL) != napi_ok || !get_int32(env, arguments[0], &fd) ||
      !get_int32(env, arguments[1], &kind) || !get_uint32(env, arguments[2], &alignment) || !get_uint32(env, arguments[3], &max_packet) ||
      !get_view(env, arguments[4], &slab) || !get_int32_array(env, arguments[5], &packets) || !get_view(env, arguments[6], &headers) ||
      !get_int32_array(env, arguments[7], &descriptors) || !get_statistics(env, arguments[8], &statistics))
    return NULL;
  if (kind < KIND_DEVICE || kind > KIND_STREAM) return fail(env, "no such kind of port");
  if (alignment > 15) return fail(env, "the alignment is an offset below 16");
  if (max_packet == 0 || max_packet > LARGEST_PACKET) return fail(env, "the largest packet must have 1 to 131,072 bytes");
  if (slab.length < alignment + max_packet + 15 || slab.length > INT32_MAX) return fail(env, "the slab must hold one packet, and be below 2 GiB");
  packet_port *port = calloc(1, sizeof *port);
  if (!port) return fail(env, "no memory");
  port->fd = -1;  // until everything else is there
  port->kind = (port_kind)kind;
  port->sequenced = kind == KIND_MESSAGE && is_sequenced(fd);
  port->alignment = alignment;
  port->max_packet = max_packet;
  port->slab = slab;
  port->headers = headers;
  port->packets = (int32_t *)packets.data;
  port->packets_capacity = packets.length / (2 * sizeof(int32_t));
  port->descriptors = (const int32_t *)descriptors.data;
  port->descriptors_length = descriptors.length / sizeof(int32_t);
  port->statistics = statistics;
  bool ready = kind != KIND_STREAM || stream_allocate(port);
  for (size_t i = 0; ready && i < LENGTH_OF(port->references); i++)
    ready = napi_create_reference(env, arguments[4 + i], 1, &port->references[i]) == napi_ok;
  if (!ready || napi_wrap(env, self, port, object_collected, NULL, NULL) != napi_ok) {
    drop_references(env, port);
    stream_free(port);
    free(port);
    return fail(env, "no memory");
  }
  napi_create_reference(env, self, 1, &port->self);
  port->fd = fd;
  return self;
}

// receive(budget: number): number. The count of packets noted, perhaps with RECEIVE_MORE, or -errno.
static napi_value receive(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint32_t budget;
  packet_port *port;
  if (!get_this(env, info, 1, &argument, (void **)&port) || !get_uint32(env, argument, &budget)) return NULL;
  if (port->fd < 0) return make_int32(env, -EBADF);
  if (budget > port->packets_capacity) budget = (uint32_t)port->packets_capacity;
  if (budget >= RECEIVE_MORE) budget = RECEIVE_MORE - 1;
  switch (port->kind) {
    case KIND_MESSAGE:
      return make_int32(env, receive_from_messages(port, budget));
    case KIND_STREAM:
      return make_int32(env, receive_from_stream(port, budget));
    default:
      return make_int32(env, receive_from_device(port, budget));
  }
}

// send(start: number, count: number, slices: Uint8Array[]): number. How many packets went, or -errno if not even the first did.
static napi_value send_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  uint32_t start, count;
  packet_port *port;
  if (!get_this(env, info, 3, arguments, (void **)&port) || !get_uint32(env, arguments[0], &start) || !get_uint32(env, arguments[1], &count))
    return NULL;
  if (port->fd < 0) return make_int32(env, -EBADF);
  return make_int32(env, send_packets(env, port, start, count, arguments[2]));
}

// close(): void. Closes the descriptor and lets go of the arrays. Idempotent.
static napi_value close_packet_port(napi_env env, napi_callback_info info) {
  packet_port *port;
  if (!get_this(env, info, 0, NULL, (void **)&port)) return NULL;
  close_port(port);
  drop_references(env, port);
  return make_undefined(env);
}

bool define_packet_port(napi_env env, napi_value exports) {
  static const function_entry methods[] = {{"receive", receive}, {"send", send_batch}, {"close", close_packet_port}};
  return define_class(env, exports, "PacketPort", construct, methods, LENGTH_OF(methods));
}
