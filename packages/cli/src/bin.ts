#!/usr/bin/env node
import { Command } from "commander";
import { serveCommand } from "./serve/command.ts";

const program = new Command("nfs4")
  .description("An NFSv4 server on a TCP/IP stack of its own")
  .addCommand(serveCommand());
await program.parseAsync();
