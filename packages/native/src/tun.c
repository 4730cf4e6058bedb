// Makes TUN and TAP devices (the kernel's Documentation/networking/tuntap.rst).
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "addon.h"

// Missing from the headers of Debian 12, known to kernels since 6.2.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#ifndef IFF_TUN_EXCL
#define IFF_TUN_EXCL 0x8000
#endif

typedef struct {
  char name[IFNAMSIZ];
  bool tap, vnet_header, persist, exclusive;
  uint32_t offload;
} tun_request;

// On success fills in the name that the kernel chose and the offloads that it took.
static int open_tun_device(tun_request *request) {
  struct ifreq interface = {0};
  int little_endian = 1, header_size = 10;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  interface.ifr_flags = (short)((request->tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (request->vnet_header ? IFF_VNET_HDR : 0) |
                                (request->exclusive ? IFF_TUN_EXCL : 0));
  memcpy(interface.ifr_name, request->name, IFNAMSIZ);
  if (ioctl(fd, TUNSETIFF, &interface) < 0) goto failed;
  memcpy(request->name, interface.ifr_name, IFNAMSIZ);
  if (request->vnet_header) {
    if (ioctl(fd, TUNSETVNETHDRSZ, &header_size) < 0) goto failed;
    // Without it the header has the host's byte order; a kernel without the call (EINVAL) is little-endian on a little-endian host.
    if (ioctl(fd, TUNSETVNETLE, &little_endian) < 0 && errno != EINVAL && errno != ENOTTY) goto failed;
  } else {
    request->offload = 0;
  }
  // Always set, for a persistent device keeps the flags of whoever had it before.
  if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)request->offload) < 0) {
    request->offload &= ~(uint32_t)(TUN_F_USO4 | TUN_F_USO6);
    if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)request->offload) < 0) goto failed;
  }
  if (ioctl(fd, TUNSETPERSIST, (unsigned long)(request->persist ? 1 : 0)) < 0) goto failed;
  return fd;
failed:;
  int error = errno;
  close(fd);
  return -error;
}

// openTun(name: string, tap: boolean, vnetHeader: boolean, offload: number, persist: boolean, exclusive: boolean):
//   { fd, name, offload } | -errno
static napi_value open_tun(napi_env env, napi_callback_info info) {
  napi_value arguments[6], result;
  tun_request request = {0};
  if (!get_arguments(env, info, 6, arguments) || !get_string(env, arguments[0], request.name, sizeof request.name) ||
      !get_bool(env, arguments[1], &request.tap) || !get_bool(env, arguments[2], &request.vnet_header) ||
      !get_uint32(env, arguments[3], &request.offload) || !get_bool(env, arguments[4], &request.persist) ||
      !get_bool(env, arguments[5], &request.exclusive))
    return NULL;
  int fd = open_tun_device(&request);
  if (fd < 0) return make_int32(env, fd);
  if (napi_create_object(env, &result) != napi_ok) {
    close(fd);
    return NULL;
  }
  set_number(env, result, "fd", fd);
  set_string(env, result, "name", request.name);
  set_number(env, result, "offload", request.offload);
  return result;
}

bool define_tun(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"openTun", open_tun}};
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
