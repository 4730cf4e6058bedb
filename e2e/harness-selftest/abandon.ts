/** Sets up everything that a test sets up, says so, and waits for its end, which will be a violent one. Run by clean-up.test.ts. */
import { startGanesha } from "../harness/ganesha.ts";
import { startGuest } from "../harness/guest.ts";
import { createNamespace } from "../harness/namespace.ts";

const namespace = await createNamespace();
await startGanesha(namespace);
await startGuest({ namespace });
console.log(`ready ${namespace.name}`);
setInterval(() => undefined, 60_000);
