#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { Command } from "commander";
import { serveCommand } from "./serve/command.ts";

// V8 lets its heap grow to several times of what lives before it looks for garbage. Peers without manners make garbage by the thousand connections.
setFlagsFromString("--heap-growing-percent=30");

const program = new Command("nfs4")
  .description("An NFSv4 server on a TCP/IP stack of its own")
  .addCommand(serveCommand());
await program.parseAsync();
