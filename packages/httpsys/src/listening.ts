/**
 * All that listening takes, opened in order and closed in reverse, also when any step fails:
 * 1. the API, 2. a server session, 3. a URL group, 4. the queue, 5. its completions, 6. the binding, 7. properties, 8. the URLs.
 * URLs come last, so that no request arrives before there is somebody to take it. A queue that was opened is bound and given URLs as one that
 * was made is: who made it may be gone, or be a process that only delegates to it and keeps it in being.
 */
import { errorCode, flag } from "./abi/constants.ts";
import { wideText, type HttpSysLibrary } from "./binding.ts";
import { completionsOf, type CompletionSource } from "./completions.ts";
import { HttpSysError } from "./errors.ts";
import { initialize, terminate } from "./initialized.ts";
import type { QueueHandle, SessionId, UrlGroupId } from "./handles.ts";
import { bindQueue, set503Verbosity, setConnectionLimit, setQueueLength, setTimeouts, type HttpSysTimeouts, type Verbosity503 } from "./properties.ts";
import { apiVersion, closeQueue, isCode, openQueue, type RequestQueueOptions } from "./request-queue.ts";
import { urlHint } from "./url-hint.ts";
import type { UrlPrefix } from "./url-prefix.ts";

/** What is left out stays as HTTP.sys has it: a queue of its own without a name, 1000 requests that may wait, no bound of connections. */
export interface ListeningOptions {
  /**
   * Ignored with a queue in mode "open": others registered what comes there. With "createOrOpen", those that another process of the queue
   * has registered are left to it: see `takeOver`.
   */
  readonly prefixes: readonly UrlPrefix[];
  readonly queue?: RequestQueueOptions | undefined;
  readonly timeouts?: HttpSysTimeouts | undefined;
  readonly queueLength?: number | undefined;
  readonly verbosity503?: Verbosity503 | undefined;
  readonly connectionLimit?: number | undefined;
}

export interface Listening {
  readonly library: HttpSysLibrary;
  readonly queue: QueueHandle;
  readonly urlGroup: UrlGroupId;
  readonly completions: CompletionSource;
  /** False when another process made the queue. */
  readonly createdQueue: boolean;
  /**
   * Registers what another process of the queue had registered, where that is gone by now: URLs go with their process, the queue stays as long
   * as anybody has it. Gives how many are left to others.
   */
  takeOver(): number;
  /** No further request comes: URLs are gone and receives end with 995. Requests under way go on. Twice does nothing. */
  shutDown(): void;
  /** Closes everything; never throws. Twice does nothing. */
  close(): void;
}

/** @throws {HttpSysError} after which nothing is left open. */
export function startListening(library: HttpSysLibrary, options: ListeningOptions): Listening {
  const undo: (() => void)[] = [];
  const close = (): void => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) step();
  };
  try {
    initialize(library);
    undo.push(() => terminate(library));
    const session = idFrom(library, (out) => library.require("HttpCreateServerSession", apiVersion, out, 0)) as SessionId;
    undo.push(() => void library.call("HttpCloseServerSession", session));
    const urlGroup = idFrom(library, (out) => library.require("HttpCreateUrlGroup", session, out, 0)) as UrlGroupId;
    undo.push(() => void library.call("HttpCloseUrlGroup", urlGroup));
    const { handle: queue, created } = openQueue(library, options.queue ?? {});
    undo.push(() => closeQueue(library, queue));
    const completions = completionsOf(library);
    undo.push(() => completions.release());
    completions.attach(queue);

    let left: readonly UrlPrefix[] = options.queue?.mode === "open" ? [] : options.prefixes;
    if (options.queue?.mode !== "open") {
      bindQueue(library, urlGroup, queue);
      if (options.timeouts !== undefined) setTimeouts(library, urlGroup, options.timeouts);
      if (options.connectionLimit !== undefined) setConnectionLimit(library, urlGroup, options.connectionLimit);
    }
    if (created) {
      if (options.queueLength !== undefined) setQueueLength(library, queue, options.queueLength);
      if (options.verbosity503 !== undefined) set503Verbosity(library, queue, options.verbosity503);
    }
    const isLeft = (prefix: UrlPrefix): boolean => {
      try {
        addUrl(library, urlGroup, prefix);
        return false;
      } catch (error) {
        if (!created && isCode(error, errorCode.ERROR_ALREADY_EXISTS)) return true;
        throw error;
      }
    };
    const register = (): number => {
      left = left.filter(isLeft);
      return left.length;
    };
    register();

    let shut = false;
    return {
      library,
      queue,
      urlGroup,
      completions,
      createdQueue: created,
      takeOver: () => (shut || undo.length === 0 ? 0 : register()),
      shutDown() {
        if (shut || undo.length === 0) return;
        shut = true;
        library.call("HttpRemoveUrlFromUrlGroup", urlGroup, 0n, flag.HTTP_URL_FLAG_REMOVE_ALL);
        library.call("HttpShutdownRequestQueue", queue);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function idFrom(library: HttpSysLibrary, create: (out: Uint8Array) => void): bigint {
  const out = library.memory(8);
  create(out.buffer);
  return out.buffer.readBigUInt64LE(0);
}

function addUrl(library: HttpSysLibrary, group: UrlGroupId, prefix: UrlPrefix): void {
  const text = wideText(library, prefix.text);
  const code = library.call("HttpAddUrlToUrlGroup", group, text.buffer, 0n, 0);
  if (code !== 0) throw new HttpSysError("HttpAddUrlToUrlGroup", code, { hint: urlHint(code, prefix), detail: library.why() });
}
