// Unix sockets of the types that Node lacks or hides: SEQPACKET (one frame a message, as UML speaks) and bare stream descriptors.
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "addon.h"

#define WANTED_BUFFER (4 << 20)

// Large buffers, so that a burst of frames is not cut by a full socket. Beyond the system's limit only with privilege.
static void enlarge_buffers(int fd) {
  int size = WANTED_BUFFER;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static int set_address(struct sockaddr_un *address, const char *path) {
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address->sun_path) return -ENAMETOOLONG;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length);
  return 0;
}

// A socket that a killed process left behind answers nobody: then, and only then, its name is taken over.
static int remove_dead_socket(const struct sockaddr_un *address, int type) {
  struct stat status;
  if (lstat(address->sun_path, &status) < 0) return errno == ENOENT ? 0 : -errno;
  if (!S_ISSOCK(status.st_mode)) return -EADDRINUSE;
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int outcome = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? -EADDRINUSE : -errno;
  close(fd);
  if (outcome != -ECONNREFUSED) return outcome == -EAGAIN ? -EADDRINUSE : outcome;
  return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int listen_at(const char *path, int type) {
  struct sockaddr_un address;
  int outcome = set_address(&address, path);
  if (outcome == 0) outcome = remove_dead_socket(&address, type);
  if (outcome < 0) return outcome;
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) {
    outcome = -errno;
    close(fd);
    return outcome;
  }
  return fd;
}

static int connect_to(const char *path, int type) {
  struct sockaddr_un address;
  int outcome = set_address(&address, path);
  if (outcome < 0) return outcome;
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {  // AF_UNIX connects at once, or EAGAIN: the backlog is full
    outcome = -errno;
    close(fd);
    return outcome;
  }
  enlarge_buffers(fd);
  return fd;
}

static int socket_type(bool stream) { return stream ? SOCK_STREAM : SOCK_SEQPACKET; }

static napi_value with_path(napi_env env, napi_callback_info info, int (*operation)(const char *, int)) {
  napi_value arguments[2];
  char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
  bool stream;
  if (!get_arguments(env, info, 2, arguments) || !get_string(env, arguments[0], path, sizeof path) ||
      !get_bool(env, arguments[1], &stream))
    return NULL;
  return make_int32(env, operation(path, socket_type(stream)));
}

// listenUnix(path: string, stream: boolean): fd | -errno
static napi_value listen_unix(napi_env env, napi_callback_info info) { return with_path(env, info, listen_at); }

// connectUnix(path: string, stream: boolean): fd | -errno
static napi_value connect_unix(napi_env env, napi_callback_info info) { return with_path(env, info, connect_to); }

// acceptUnix(fd: number): fd | -errno
static napi_value accept_unix(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t listener;
  if (!get_arguments(env, info, 1, &argument) || !get_int32(env, argument, &listener)) return NULL;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return make_int32(env, -errno);
  enlarge_buffers(fd);
  return make_int32(env, fd);
}

// socketPair(stream: boolean): [fd, fd] | -errno
static napi_value socket_pair(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  bool stream;
  int fds[2];
  if (!get_arguments(env, info, 1, &argument) || !get_bool(env, argument, &stream)) return NULL;
  if (socketpair(AF_UNIX, socket_type(stream) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) return make_int32(env, -errno);
  enlarge_buffers(fds[0]);
  enlarge_buffers(fds[1]);
  if (napi_create_array_with_length(env, 2, &result) != napi_ok) return NULL;
  napi_set_element(env, result, 0, make_int32(env, fds[0]));
  napi_set_element(env, result, 1, make_int32(env, fds[1]));
  return result;
}

bool define_unix_socket(napi_env env, napi_value exports) {
  static const function_entry functions[] = {
      {"listenUnix", listen_unix}, {"connectUnix", connect_unix}, {"acceptUnix", accept_unix}, {"socketPair", socket_pair}};
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
