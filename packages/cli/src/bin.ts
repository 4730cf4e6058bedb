#!/usr/bin/env -S node --max-semi-space-size=4
import { setFlagsFromString } from "node:v8";
import { Command } from "commander";
import { serveCommand } from "./serve/command.ts";

// V8 lets its heap grow to several times of what lives before it looks for garbage, and its nursery to 32 MiB. Peers without manners make garbage by the
// thousand connections: so little is enough. (The nursery can only be bounded from the command line: above, in `npm start`, in docker/entrypoint.sh.)
setFlagsFromString("--heap-growing-percent=30");

const program = new Command("nfs4")
  .description("An NFSv4 server on a TCP/IP stack of its own")
  .addCommand(serveCommand());
await program.parseAsync();
