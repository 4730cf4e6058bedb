// Length-prefixed frames over a stream: the part between the frames and the descriptor.
#ifndef NFS4_PACKET_STREAM_H
#define NFS4_PACKET_STREAM_H

#include "packet-port.h"

#define STREAM_MARK 4

bool stream_allocate(packet_port *port);
void stream_free(packet_port *port);

// Reads more bytes: 1, -EAGAIN if there are none, -EPIPE at the end, or another negative errno.
int stream_fill(packet_port *port);

// Writes what is left of the last frame: 0 when nothing is left, -EAGAIN, or another negative errno.
int stream_flush(packet_port *port);

// Keeps what writev() left of `segments` after `written` bytes, for stream_flush().
void stream_keep(packet_port *port, const struct iovec *segments, size_t count, size_t written);

#endif
