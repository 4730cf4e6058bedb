import { type Actor, ActorError, startActor } from "../harness/actor.ts";
import { type Client, inFreshDirectory, otherClient, type WorkloadContext } from "./context.ts";

/**
 * A waiting Linux client asks again after 1, 2, 4… seconds, unless the server can call it (CB_NOTIFY_LOCK). The holders here let go within 3
 * seconds.
 */
const longestWaitMs = 40_000;

/** fcntl and flock locks between two guests and within one, those that wait included, and what a lock is for: nobody's update is lost. */
export async function locks(ctx: WorkloadContext): Promise<string> {
  const other = otherClient(ctx);
  return await inFreshDirectory(ctx, "locks", async (_, relative) => {
    const actors: Actor[] = [];
    const enter = async (client: Client, name: string): Promise<Actor> => {
      const actor = await startActor(client.guest, name);
      actors.push(actor);
      await actor.open("file", `${client.mountPoint}/${relative}/file`);
      return actor;
    };
    try {
      const a = await enter(ctx, "a");
      const b = await enter(other, "b");
      const neighbour = await enter(ctx, "neighbour");
      await ranges(a, b, neighbour);
      await lifetimes(a, b, `${ctx.mountPoint}/${relative}/file`);
      const waited = await waiting(a, b, () => enter(other, "killed"));
      await wholeFiles(a, b, neighbour);
      await counting([a, b, neighbour]);
      return `a waiting lock came ${waited} ms after its holder let go`;
    } finally {
      for (const actor of actors) await actor.stop();
    }
  });
}

/** Which ranges exclude which. */
async function ranges(a: Actor, b: Actor, neighbour: Actor): Promise<void> {
  await a.lock("file", "write", 0, 10);
  for (const stranger of [b, neighbour]) {
    await refused(stranger.lock("file", "write", 5, 1), `${stranger.name}'s write lock inside a's`);
    await refused(stranger.lock("file", "read", 9, 100), `${stranger.name}'s read lock over a's end`);
    same(`what ${stranger.name} is told`, await stranger.conflict("file", "read", 0, 0), {
      kind: "write",
      start: 0,
      length: 10,
    });
  }
  await b.lock("file", "write", 10, 10);
  await refused(a.lock("file", "write", 0, 11), "a growing into b's");
  await a.lock("file", "unlock", 0, 10);
  await b.lock("file", "unlock", 10, 10);

  // Readers share; one of them becomes a writer only when it is alone; a writer becomes a reader at once.
  await a.lock("file", "read", 20, 10);
  await b.lock("file", "read", 20, 10);
  await refused(a.lock("file", "write", 20, 10), "a writer among readers");
  await b.lock("file", "unlock", 20, 10);
  await a.lock("file", "write", 20, 10);
  await refused(b.lock("file", "read", 25, 1), "a reader beside a writer");
  await a.lock("file", "read", 20, 10);
  await b.lock("file", "read", 25, 1);
  await a.lock("file", "unlock", 0, 0);
  await b.lock("file", "unlock", 0, 0);

  // A hole in a lock, and parts of different kinds.
  await a.lock("file", "write", 100, 100);
  await a.lock("file", "unlock", 140, 20);
  await a.lock("file", "read", 180, 20);
  await b.lock("file", "write", 140, 20);
  await refused(b.lock("file", "write", 139, 1), "before the hole");
  await refused(b.lock("file", "write", 160, 1), "behind the hole");
  await b.lock("file", "read", 180, 20);
  await refused(b.lock("file", "read", 179, 1), "before the part that became readable");
  await a.lock("file", "unlock", 0, 0);
  await b.lock("file", "unlock", 0, 0);

  // To the end of all things, and the last bytes that can be locked.
  const last = 2 ** 53 - 1;
  await a.lock("file", "write", 1000, 0);
  await refused(b.lock("file", "write", last - 10, 5), "far inside an endless lock");
  same("what b is told", await b.conflict("file", "write", 0, 0), { kind: "write", start: 1000, length: 0 });
  await a.lock("file", "unlock", 2000, 0);
  await b.lock("file", "write", last - 10, 5);
  await refused(b.lock("file", "write", 1999, 1), "the part that stays");
  await a.lock("file", "unlock", 0, 0);
  await b.lock("file", "unlock", 0, 0);
  same("nothing is left", await neighbour.conflict("file", "write", 0, 0), null);
}

/** When locks end without being unlocked. */
async function lifetimes(a: Actor, b: Actor, pathOfA: string): Promise<void> {
  // POSIX: closing any descriptor of a file gives up all locks that the process has on it.
  await a.lock("file", "write", 0, 0);
  await a.open("again", pathOfA);
  await refused(b.lock("file", "write", 0, 1), "while it is held");
  await a.close("again");
  await b.lock("file", "write", 0, 0);
  await b.lock("file", "unlock", 0, 0);
}

/** Locks that wait. Gives how long after its release the lock came, in ms. */
async function waiting(a: Actor, b: Actor, enterAnother: () => Promise<Actor>): Promise<number> {
  await a.lock("file", "write", 0, 100);
  const coming = b.lock("file", "write", 50, 10, { wait: true });
  if (await settlesWithin(coming, 1_500)) throw new Error("b did not wait for a's lock");
  const released = Date.now();
  await a.lock("file", "unlock", 0, 100);
  if (!(await settlesWithin(coming, longestWaitMs)))
    throw new Error(`b's lock did not come within ${longestWaitMs} ms`);
  await coming;
  const waited = Date.now() - released;
  await refused(a.lock("file", "read", 55, 1), "a after b's turn has come");
  await b.lock("file", "unlock", 0, 0);

  // Who is killed while waiting gets nothing, and who is killed holding a lock keeps nothing.
  const killed = await enterAnother();
  await a.lock("file", "write", 0, 0);
  const never = killed.lock("file", "write", 0, 0, { wait: true });
  never.catch(() => undefined);
  if (await settlesWithin(never, 1_000)) throw new Error("the third did not wait for a's lock");
  await killed.kill();
  await a.lock("file", "unlock", 0, 0);
  await b.lock("file", "write", 0, 0);
  await b.lock("file", "unlock", 0, 0);

  const holder = await enterAnother();
  await holder.lock("file", "write", 0, 0);
  await refused(a.lock("file", "read", 0, 1), "while it is held by one who will be killed");
  await holder.kill();
  const inherited = a.lock("file", "write", 0, 0, { wait: true });
  if (!(await settlesWithin(inherited, longestWaitMs))) throw new Error("a dead process keeps its lock");
  await inherited;
  await a.lock("file", "unlock", 0, 0);
  return waited;
}

/** flock: whole files, shared or exclusive. */
async function wholeFiles(a: Actor, b: Actor, neighbour: Actor): Promise<void> {
  await a.flock("file", "shared");
  await b.flock("file", "shared");
  await refused(neighbour.flock("file", "exclusive"), "exclusive among shared");
  await b.flock("file", "unlock");
  await a.flock("file", "exclusive");
  await refused(b.flock("file", "shared"), "shared beside exclusive, from the other guest");
  await refused(neighbour.flock("file", "shared"), "shared beside exclusive, from the same guest");
  const coming = b.flock("file", "exclusive", { wait: true });
  if (await settlesWithin(coming, 1_200)) throw new Error("b did not wait for a's flock");
  await a.flock("file", "unlock");
  if (!(await settlesWithin(coming, longestWaitMs))) throw new Error("b's flock did not come");
  await coming;
  await refused(a.flock("file", "exclusive"), "a after b's turn has come");
  await b.flock("file", "unlock");
}

/** Three processes on two machines add to one number. */
async function counting(actors: readonly Actor[]): Promise<void> {
  const times = 30;
  const [first] = actors;
  await first?.write("file", 0, "0000000000000000000\n");
  await first?.sync("file");
  await Promise.all(actors.map((actor) => actor.count("file", times)));
  for (const actor of actors) {
    await actor.lock("file", "read", 0, 0);
    same(`the number that ${actor.name} sees`, Number(await actor.read("file", 0, 20)), times * actors.length);
    await actor.lock("file", "unlock", 0, 0);
  }
}

async function refused(attempt: Promise<void>, what: string): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ActorError && (error.code === "EAGAIN" || error.code === "EACCES")) return;
    throw error;
  }
  throw new Error(`${what}: was granted, and should have been refused`);
}

function same(what: string, actual: unknown, wanted: unknown): void {
  const [have, want] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (have !== want) throw new Error(`${what}: ${have}, expected ${want}`);
}

/** Whether a promise settles in time. Does not consume its failure. */
async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([settled, late]);
  clearTimeout(timer);
  return result;
}
