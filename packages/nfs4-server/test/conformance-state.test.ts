/** What clients hold: opens, locks, stateids, leases. */
import "./cases/leases.ts";
import "./cases/locks.ts";
import "./cases/open.ts";
import "./cases/reclaiming.ts";
import "./cases/recovery.ts";
import "./cases/refusals.ts";
import "./cases/stateids.ts";
import "./cases/waits.ts";
