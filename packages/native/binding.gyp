{
  "targets": [
    {
      "target_name": "nfs4_native",
      "sources": [
        "src/addon.c",
        "src/checksum.c",
        "src/clock.c",
        "src/fd.c",
        "src/fs-arguments.c",
        "src/fs-data.c",
        "src/fs-engine.c",
        "src/fs-metadata.c",
        "src/fs-names.c",
        "src/fs-open.c",
        "src/fs-pool.c",
        "src/fs-table.c",
        "src/fs-watch.c",
        "src/fs-xattr.c",
        "src/identity.c",
        "src/napi-util.c",
        "src/netlink.c",
        "src/packet-port.c",
        "src/packet-receive.c",
        "src/packet-send.c",
        "src/packet-stream.c",
        "src/slab.c",
        "src/tun.c",
        "src/unix-socket.c",
        "src/watcher.c"
      ],
      "defines": ["_GNU_SOURCE", "_FILE_OFFSET_BITS=64", "NAPI_VERSION=8"],
      "cflags": ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden", "-pthread"],
      "cflags!": ["-Wno-unused-parameter"]
    }
  ]
}
