/**
 * Who may listen at a path. A process that is killed leaves its socket behind, and whoever starts next has to remove it; between looking at it
 * and removing it another process may have put its own there. So a path belongs to the process that holds the lock beside it:
 *
 * 1. `<path>.lock` is locked (flock(2)): the system gives that lock back when its holder ends, however it ends.
 * 2. With the lock, what lies at the path is looked at: a socket that somebody listens at, without a lock, and what is no socket is left alone.
 * 3. A socket that nobody listens at is removed. Now the holder may bind.
 * 4. The holder removes the lock's file before it gives the lock back; who has opened that file meanwhile finds another one in its place, or
 *    none, and begins anew.
 */
import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { constants as system } from "node:os";
import { DelegationError } from "../errors.ts";
import type { Libc } from "../unix/libc.ts";

/** What lies at the path of a socket. */
export type AtPath = "nothing" | "stale-socket" | "listener" | "other";

/** The steps of a claim, each done when the one before is; tests stop between them. */
export interface ClaimSteps {
  /** The lock, or undefined while another process holds it. */
  lock(path: string): Promise<SocketLock | undefined>;
  look(path: string): Promise<AtPath>;
  remove(path: string): Promise<void>;
}

/** The right to listen at a path. */
export interface SocketLock {
  /** Gives it back; the socket has to be gone. Never throws; twice does nothing. */
  release(): void;
}

export function systemClaimSteps(native: Pick<Libc, "lock">): ClaimSteps {
  return {
    lock: (path) => Promise.resolve(lockBeside(path, native)),
    look: lookAt,
    remove: (path) => unlink(path),
  };
}

/** Makes `path` this process's own, with nothing at it. Rejects with `DelegationError`: `REFUSED` when somebody else has it. */
export async function claimSocketPath(path: string, steps: ClaimSteps): Promise<SocketLock> {
  const lock = await steps.lock(path);
  if (lock === undefined) throw refused(`another process listens at '${path}', or is about to: it holds '${lockName(path)}'`);
  try {
    const found = await steps.look(path);
    if (found === "listener") throw refused(`another process listens at '${path}'`);
    if (found === "other") throw refused(`what lies at '${path}' is no socket: choose another path, or remove it`);
    if (found === "stale-socket") await steps.remove(path);
    return lock;
  } catch (error) {
    lock.release();
    if (error instanceof DelegationError) throw error;
    throw new DelegationError("FAILED", `'${path}' cannot be listened at: ${(error as Error).message}`, { cause: error });
  }
}

function refused(message: string): DelegationError {
  return new DelegationError("REFUSED", message);
}

function lockName(path: string): string {
  return `${path}.lock`;
}

/** Throws `DelegationError` where the file system has no locks, or the file cannot be opened. */
function lockBeside(path: string, native: Pick<Libc, "lock">): SocketLock | undefined {
  const file = lockName(path);
  for (;;) {
    const fd = openLock(file);
    const code = native.lock(fd);
    if (code !== 0) {
      closeSync(fd);
      if (code === system.errno.EWOULDBLOCK || code === system.errno.EAGAIN) return undefined;
      throw new DelegationError("FAILED", `'${file}' cannot be locked: error ${code}`);
    }
    if (isStill(file, fd)) return new FileLock(file, fd);
    // Its holder before removed it between our two calls.
    closeSync(fd);
  }
}

class FileLock implements SocketLock {
  readonly #file: string;
  #fd: number | undefined;

  constructor(file: string, fd: number) {
    this.#file = file;
    this.#fd = fd;
  }

  release(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    try {
      unlinkSync(this.#file);
    } catch {
      // It went with its directory, or stays: who comes next locks the same file.
    }
    closeSync(fd);
  }
}

function openLock(file: string): number {
  try {
    return openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw new DelegationError("FAILED", `'${file}' cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

function isStill(file: string, fd: number): boolean {
  const held = fstatSync(fd);
  const there = statSync(file, { throwIfNoEntry: false });
  return there !== undefined && there.ino === held.ino && there.dev === held.dev;
}

async function lookAt(path: string): Promise<AtPath> {
  try {
    if (!(await lstat(path)).isSocket()) return "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "nothing";
    throw error;
  }
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.on("connect", () => {
      probe.destroy();
      resolve("listener");
    });
    probe.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve("stale-socket");
      else if (error.code === "ENOENT") resolve("nothing");
      // More connections wait there than it takes: somebody has to be there for that.
      else if (error.code === "EAGAIN") resolve("listener");
      else reject(error);
    });
  });
}
