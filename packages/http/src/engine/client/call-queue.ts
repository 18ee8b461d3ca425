/** What a `CallQueue` keeps of its members in themselves. */
export interface QueuedCall<C> {
  queued: boolean;
  next: C | undefined;
  previous: C | undefined;
}

/** Calls that wait for a connection, first in first out; any of them can be taken out at once. */
export class CallQueue<C extends QueuedCall<C>> {
  size = 0;
  first: C | undefined;
  #last: C | undefined;

  push(call: C): void {
    call.previous = this.#last;
    call.queued = true;
    if (this.#last === undefined) this.first = call;
    else this.#last.next = call;
    this.#last = call;
    this.size++;
  }

  shift(): C | undefined {
    const call = this.first;
    if (call !== undefined) this.remove(call);
    return call;
  }

  remove(call: C): void {
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
