// One exchange with the kernel's routing netlink: sends a message that JavaScript has built and returns what came back. What the
// messages mean is none of this file's business.
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "addon.h"

#define LARGEST_REPLY (1 << 20)

typedef struct {
  uint8_t *bytes;
  size_t length, capacity;
} reply_buffer;

static int append(reply_buffer *reply, const void *bytes, size_t length) {
  if (length > LARGEST_REPLY - reply->length) return -EMSGSIZE;
  if (reply->length + length > reply->capacity) {
    size_t capacity = (reply->length + length) * 2;
    uint8_t *grown = realloc(reply->bytes, capacity);
    if (!grown) return -ENOMEM;
    reply->bytes = grown;
    reply->capacity = capacity;
  }
  memcpy(reply->bytes + reply->length, bytes, length);
  reply->length += length;
  return 0;
}

// Messages stand on 4-byte boundaries; the last of a datagram may lack its padding.
static int append_message(reply_buffer *reply, const struct nlmsghdr *message) {
  static const uint8_t padding[NLMSG_ALIGNTO] = {0};
  int outcome = append(reply, message, message->nlmsg_len);
  return outcome < 0 ? outcome : append(reply, padding, NLMSG_ALIGN(message->nlmsg_len) - message->nlmsg_len);
}

// Collects messages until the acknowledgement (NLMSG_ERROR, 0 means success) or the end of a dump (NLMSG_DONE).
static int collect(int fd, uint32_t sequence, reply_buffer *reply) {
  static const size_t size = 1 << 16;
  uint8_t *datagram = malloc(size);
  int result = 1;
  if (!datagram) return -ENOMEM;
  while (result > 0) {
    ssize_t received = recv(fd, datagram, size, 0);
    if (received < 0) {
      if (errno == EINTR) continue;
      result = -errno;
      break;
    }
    size_t left = (size_t)received;
    for (struct nlmsghdr *message = (struct nlmsghdr *)datagram; result > 0 && NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != sequence) continue;
      if (message->nlmsg_type == NLMSG_DONE) result = 0;
      else if (message->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(message);
        result = message->nlmsg_len < NLMSG_LENGTH(sizeof *error) ? -EPROTO : error->error;  // negative errno, or 0
      } else {
        int appended = append_message(reply, message);
        if (appended < 0) result = appended;
      }
    }
  }
  free(datagram);
  return result;
}

static int exchange(const view *request, reply_buffer *reply) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  struct timeval patience = {.tv_sec = 2};
  if (request->length < sizeof(struct nlmsghdr)) return -EINVAL;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int result;
  if (sendto(fd, request->data, request->length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) result = -errno;
  else result = collect(fd, ((struct nlmsghdr *)request->data)->nlmsg_seq, reply);
  close(fd);
  return result;
}

static void free_bytes(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

// netlinkExchange(message: Uint8Array): ArrayBuffer | -errno. The message's flags must ask for an acknowledgement or a dump.
static napi_value netlink_exchange(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  view request;
  reply_buffer reply = {0};
  if (!get_arguments(env, info, 1, &argument) || !get_view(env, argument, &request)) return NULL;
  int outcome = exchange(&request, &reply);
  if (outcome < 0) {
    free(reply.bytes);
    return make_int32(env, outcome);
  }
  if (!reply.bytes) reply.bytes = malloc(1);
  if (!reply.bytes) return make_int32(env, -ENOMEM);
  if (napi_create_external_arraybuffer(env, reply.bytes, reply.length, free_bytes, NULL, &result) != napi_ok) {
    free(reply.bytes);
    return fail(env, "no memory for the reply");
  }
  return result;
}

bool define_netlink(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"netlinkExchange", netlink_exchange}};
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
