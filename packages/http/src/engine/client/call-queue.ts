import type { EngineCall } from "./engine-call.ts";

/** Calls that wait for a connection, first in first out; any of them can be taken out at once. */
export class CallQueue {
  size = 0;
  first: EngineCall | undefined;
  #last: EngineCall | undefined;

  push(call: EngineCall): void {
    call.previous = this.#last;
    call.queued = true;
    if (this.#last === undefined) this.first = call;
    else this.#last.next = call;
    this.#last = call;
    this.size++;
  }

  shift(): EngineCall | undefined {
    const call = this.first;
    if (call !== undefined) this.remove(call);
    return call;
  }

  remove(call: EngineCall): void {
    if (!call.queued) return;
    const { previous, next } = call;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    call.previous = undefined;
    call.next = undefined;
    call.queued = false;
    this.size--;
  }
}
