/** What belongs to the protocol itself: COMPOUND, clients, sessions, retries, callbacks. */
import "./cases/callbacks.ts";
import "./cases/compound.ts";
import "./cases/duplicates.ts";
import "./cases/exchange-id.ts";
import "./cases/hostile.ts";
import "./cases/owners.ts";
import "./cases/sequence.ts";
import "./cases/setclientid.ts";
