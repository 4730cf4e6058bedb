#include "packet-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INCOMING_SIZE (1 << 18)
#define OUTGOING_SIZE (LARGEST_PACKET + STREAM_MARK)

bool stream_allocate(packet_port *port) {
  port->stream.incoming = malloc(INCOMING_SIZE);
  port->stream.outgoing = malloc(OUTGOING_SIZE);
  return port->stream.incoming && port->stream.outgoing;
}

void stream_free(packet_port *port) {
  free(port->stream.incoming);
  free(port->stream.outgoing);
  port->stream.incoming = port->stream.outgoing = NULL;
}

int stream_fill(packet_port *port) {
  stream_state *stream = &port->stream;
  if (stream->begin > 0) {  // less than one frame is left: a short move
    memmove(stream->incoming, stream->incoming + stream->begin, stream->end - stream->begin);
    stream->end -= stream->begin;
    stream->begin = 0;
  }
  ssize_t length;
  do length = recv(port->fd, stream->incoming + stream->end, INCOMING_SIZE - stream->end, MSG_DONTWAIT);
  while (length < 0 && errno == EINTR);
  port->statistics[RECEIVE_CALLS]++;
  if (length < 0) return -errno;
  if (length == 0) return -EPIPE;
  stream->end += (size_t)length;
  return 1;
}

int stream_flush(packet_port *port) {
  stream_state *stream = &port->stream;
  while (stream->outgoing_begin < stream->outgoing_end) {
    ssize_t written = send(port->fd, stream->outgoing + stream->outgoing_begin, stream->outgoing_end - stream->outgoing_begin,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    port->statistics[SEND_CALLS]++;
    if (written < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    stream->outgoing_begin += (size_t)written;
  }
  stream->outgoing_begin = stream->outgoing_end = 0;
  return 0;
}

void stream_keep(packet_port *port, const struct iovec *segments, size_t count, size_t written) {
  stream_state *stream = &port->stream;
  for (size_t i = 0; i < count; i++) {
    size_t skip = written < segments[i].iov_len ? written : segments[i].iov_len;
    size_t rest = segments[i].iov_len - skip;
    memcpy(stream->outgoing + stream->outgoing_end, (const uint8_t *)segments[i].iov_base + skip, rest);
    stream->outgoing_end += rest;
    written -= skip;
  }
}
