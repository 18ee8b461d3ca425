import { errorCode, flag } from "./abi/constants.ts";
import { wideText, type HttpSysLibrary } from "./binding.ts";
import { HttpSysError } from "./errors.ts";
import type { QueueHandle } from "./handles.ts";

/** HTTP Server API version 2.0, as a value. */
export const apiVersion = 2;

export interface RequestQueueOptions {
  /** Without one the queue is this process's alone. 1 to 255 characters, no slash or backslash; case does not count. */
  readonly name?: string | undefined;
  /** "create": it must not exist; "open": it must; "createOrOpen": whichever. Default "create". */
  readonly mode?: "create" | "open" | "createOrOpen" | undefined;
  /** Opened only to delegate to: nothing can be received from it. */
  readonly delegation?: boolean | undefined;
}

export interface OpenedQueue {
  readonly handle: QueueHandle;
  /** Whether it was made here: such a queue's properties can be set. */
  readonly created: boolean;
}

/** @throws {TypeError} for a name that no queue can have. */
export function checkQueueName(name: string): void {
  if (name.length === 0 || name.length > 255) throw new TypeError("the name of a request queue has 1 to 255 characters");
  if (/[\u0000-\u001f/\\]/.test(name)) throw new TypeError(`the name of a request queue holds no slash, backslash or control character: ${JSON.stringify(name)}`);
}

/**
 * Makes or opens a request queue. The caller closes it.
 *
 * @throws {HttpSysError} 183 when the name is taken, 2 when there is none of that name, 5 when its account does not share it.
 */
export function openQueue(library: HttpSysLibrary, options: RequestQueueOptions): OpenedQueue {
  const { name, mode = "create", delegation = false } = options;
  if (name !== undefined) checkQueueName(name);
  else if (mode === "open" || delegation) throw new TypeError("a request queue without a name cannot be opened");
  if (delegation) return { handle: create(library, name, openFlags | flag.HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION), created: false };
  if (mode === "open") return { handle: create(library, name, openFlags), created: false };
  if (mode === "create") return { handle: create(library, name, 0), created: true };
  // Another process may make or close the queue between the two calls: a few rounds, then the error is told.
  for (let round = 0; ; round++) {
    try {
      return { handle: create(library, name, 0), created: true };
    } catch (error) {
      if (!isCode(error, errorCode.ERROR_ALREADY_EXISTS)) throw error;
    }
    try {
      return { handle: create(library, name, openFlags), created: false };
    } catch (error) {
      if (!isCode(error, errorCode.ERROR_FILE_NOT_FOUND) || round >= 3) throw error;
    }
  }
}

/** Closes it; never throws. */
export function closeQueue(library: HttpSysLibrary, handle: QueueHandle): void {
  library.call("HttpCloseRequestQueue", handle);
}

export function isCode(error: unknown, code: number): boolean {
  return error instanceof HttpSysError && error.errorCode === code;
}

const openFlags = flag.HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING;

function create(library: HttpSysLibrary, name: string | undefined, flags: number): QueueHandle {
  const text = name === undefined ? undefined : wideText(library, name);
  const out = library.memory(8);
  const code = library.call("HttpCreateRequestQueue", apiVersion, text?.buffer ?? 0n, 0n, flags, out.buffer);
  if (code !== 0) throw new HttpSysError("HttpCreateRequestQueue", code, { hint: queueHint(code, name), detail: library.why() });
  return out.buffer.readBigUInt64LE(0) as QueueHandle;
}

function queueHint(code: number, name: string | undefined): string | undefined {
  switch (code) {
    case errorCode.ERROR_FILE_NOT_FOUND:
      return `no process has the request queue ${name} open now`;
    case errorCode.ERROR_ALREADY_EXISTS:
      return `the request queue ${name} exists: open it, or choose another name`;
    case errorCode.ERROR_ACCESS_DENIED:
      return `the request queue ${name} belongs to another account, which did not share it: run both processes under one account`;
    default:
      return undefined;
  }
}
