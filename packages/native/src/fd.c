// Bare descriptors: the few calls on them that are not file system calls.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "addon.h"

// closeFd(fd: number): 0 | -errno. After EINTR the descriptor is gone all the same (close(2)), so it is never closed again.
static napi_value close_fd(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) || !get_int32(env, argument, &fd)) return NULL;
  return make_int32(env, close(fd) == 0 || errno == EINTR ? 0 : -errno);
}

// dupFd(fd: number): fd | -errno. The copy closes on exec.
static napi_value dup_fd(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) || !get_int32(env, argument, &fd)) return NULL;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return make_int32(env, copy < 0 ? -errno : copy);
}

// setNonBlocking(fd: number): 0 | -errno. Also sets close-on-exec: for descriptors that were inherited.
static napi_value set_non_blocking(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) || !get_int32(env, argument, &fd)) return NULL;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return make_int32(env, -errno);
  return make_int32(env, 0);
}

bool define_fd(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"closeFd", close_fd}, {"dupFd", dup_fd}, {"setNonBlocking", set_non_blocking}};
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
