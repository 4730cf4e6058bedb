// The addon's front door: each part adds its functions to the exports. There is no global state besides what is safe to share
// between environments, so worker threads may load it too.
#include "addon.h"

NAPI_MODULE_INIT() {
  bool ok = define_checksum(env, exports) && define_clock(env, exports) && define_fd(env, exports) && define_files(env, exports) &&
            define_netlink(env, exports) &&
            define_packet_port(env, exports) && define_slabs(env, exports) && define_tun(env, exports) &&
            define_unix_socket(env, exports) && define_watcher(env, exports);
  if (!ok) return fail(env, "the addon could not define its functions");
  return exports;
}
