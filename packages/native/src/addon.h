// What each part of the addon adds to its exports.
#ifndef NFS4_ADDON_H
#define NFS4_ADDON_H

#include "napi-util.h"

bool define_checksum(napi_env env, napi_value exports);
bool define_clock(napi_env env, napi_value exports);
bool define_files(napi_env env, napi_value exports);
bool define_fd(napi_env env, napi_value exports);
bool define_netlink(napi_env env, napi_value exports);
bool define_packet_port(napi_env env, napi_value exports);
bool define_slabs(napi_env env, napi_value exports);
bool define_tun(napi_env env, napi_value exports);
bool define_unix_socket(napi_env env, napi_value exports);
bool define_watcher(napi_env env, napi_value exports);

#endif
