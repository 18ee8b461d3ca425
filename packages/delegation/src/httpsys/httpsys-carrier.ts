import type { Exchange } from "@proxy/http";
import { HttpSysError, isHttpSysDelegation, type DelegationSource, type QueueHandle as NativeHandle } from "@proxy/httpsys";
import { NotDelegableError, type DelegateDone, type DelegationCarrier, type DelegationTarget, type QueueHandle } from "../carrier.ts";
import { asDelegationError, DelegationError } from "../errors.ts";

const fileNotFound = 2;
const accessDenied = 5;
const objectNoLongerExists = 6807;
const maximumName = 255;

/**
 * Delegates within HTTP.sys: from the queues of this process's own front servers, which `sources` gives as they are now, to request queues
 * of other processes. While none is open, queues cannot be attached, which is tried again.
 */
export function createHttpSysCarrier(sources: () => readonly DelegationSource[]): DelegationCarrier {
  return {
    kind: "httpsys",
    nameKey: (name) => name.toLowerCase(),
    nameFault(name) {
      const isName = name.length <= maximumName && !/[/\\]/.test(name) && ![...name].some((character) => character < " ");
      if (!isName) return `has a HttpSysDelegationQueue that is none: up to ${maximumName} characters without slash and backslash`;
      const reason = sources().find(({ calls }) => calls.unsupported !== undefined)?.calls.unsupported;
      return reason === undefined ? undefined : `asks for delegation that cannot be had: ${reason}`;
    },
    open(name) {
      const open = sources();
      const [first] = open;
      if (first === undefined) throw new DelegationError("NOT_FOUND", "no HTTP.sys server of this process is listening yet, or this Windows cannot delegate");
      const { unsupported } = first.calls;
      if (unsupported !== undefined) throw new DelegationError("UNSUPPORTED", unsupported);
      return attach(name, open, first);
    },
  };
}

/** One handle, and the rule on the URL group of every source; on any error nothing of it stays. */
function attach(name: string, sources: readonly DelegationSource[], { calls }: DelegationSource): HttpSysQueue {
  let target: NativeHandle;
  try {
    target = calls.openRequestQueue(name, { delegation: true });
  } catch (error) {
    throw fromHttpSys(error);
  }
  const queue = new HttpSysQueue(target, calls);
  try {
    for (const source of sources) queue.link(source);
    return queue;
  } catch (error) {
    queue.close();
    throw fromHttpSys(error);
  }
}

class HttpSysQueue implements QueueHandle {
  readonly #target: NativeHandle;
  readonly #calls: DelegationSource["calls"];
  readonly #linked: DelegationSource[] = [];
  #closed = false;

  constructor(target: NativeHandle, calls: DelegationSource["calls"]) {
    this.#target = target;
    this.#calls = calls;
  }

  link(source: DelegationSource): void {
    source.calls.setDelegationProperty(source.urlGroup, this.#target, true);
    this.#linked.push(source);
  }

  delegate(exchange: Exchange, { queueName, urlPrefix }: DelegationTarget, done: DelegateDone): void {
    const { delegation } = exchange.features;
    if (!isHttpSysDelegation(delegation)) throw new NotDelegableError("the request did not come from HTTP.sys, or it cannot delegate");
    if (!delegation.canDelegate) {
      throw new NotDelegableError("the request cannot be handed over any more: its body was touched or its response has started");
    }
    if (this.#closed) {
      done(new DelegationError("DISPOSED", `the queue '${queueName}' was closed`));
      return;
    }
    let error: DelegationError | undefined;
    try {
      // A server that was opened after the queue was attached has no rule for it yet.
      if (!this.#linked.some(({ urlGroup }) => urlGroup === delegation.source.urlGroup)) this.link(delegation.source);
      delegation.delegate({ queueName, urlPrefix, target: this.#target });
    } catch (cause) {
      error = fromHttpSys(cause);
    }
    done(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { calls, urlGroup } of this.#linked) {
      try {
        calls.setDelegationProperty(urlGroup, this.#target, false);
      } catch {
        // The group may be gone with its server; the handle is closed all the same.
      }
    }
    this.#calls.closeRequestQueue(this.#target);
  }
}

function fromHttpSys(cause: unknown): DelegationError {
  if (!(cause instanceof HttpSysError)) return asDelegationError(cause);
  if (cause.errorCode === fileNotFound) return new DelegationError("NOT_FOUND", cause.message, { cause });
  if (cause.errorCode === objectNoLongerExists) return new DelegationError("GONE", cause.message, { cause });
  if (cause.errorCode === accessDenied) return new DelegationError("REFUSED", cause.message, { cause });
  return new DelegationError("FAILED", cause.message, { cause });
}
