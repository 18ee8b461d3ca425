import type { Exchange } from "@proxy/http";

/** An answer that may go on without its client. */
export interface Outliving {
  readonly outlives: boolean;
  /** The client left while it does: it may be refused to go on, and does not outlive then. */
  left(): void;
}

/** When the exchange is over for those behind: not before the answer is. */
export class FillLife {
  readonly #presented: Exchange;
  #answer: Outliving | undefined;
  #cause: Error | undefined;
  #isTold = false;
  #isComplete = false;
  #presentedIsOver = false;
  readonly #goneListeners: ((cause: Error) => void)[] = [];
  readonly #completeListeners: (() => void)[] = [];

  constructor(presented: Exchange) {
    this.#presented = presented;
  }

  get isClientGone(): boolean {
    return this.#cause !== undefined;
  }

  begin(answer: Outliving): void {
    this.#answer = answer;
    this.#presented.onClientGone((cause) => {
      this.#cause = cause;
      if (answer.outlives) answer.left();
      if (!answer.outlives) this.tellGone();
    });
    this.#presented.onComplete(() => {
      this.#presentedIsOver = true;
      this.check();
    });
  }

  /** Nobody wants the rest; `cause` where it is not the client that says so. */
  tellGone(cause = this.#cause): void {
    if (cause === undefined || this.#isTold) return;
    this.#isTold = true;
    this.#cause ??= cause;
    for (const listener of this.#goneListeners.splice(0)) listener(cause);
  }

  onGone(listener: (cause: Error) => void): void {
    if (this.#isTold) listener(this.#cause as Error);
    else this.#goneListeners.push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#isComplete) listener();
    else this.#completeListeners.push(listener);
  }

  check(): void {
    if (this.#isComplete || !this.#presentedIsOver || this.#answer?.outlives === true) return;
    this.#isComplete = true;
    for (const listener of this.#completeListeners.splice(0)) listener();
  }
}
