import type { HttpClient } from "@proxy/http";

/**
 * The HTTP client of a cluster, counted by the requests that may still use it. When a reload replaces it, it is
 * retired: requests that began before go on with it, and it is drained when the last of them is over.
 */
export class SharedClient {
  readonly client: HttpClient;
  #users = 0;
  #retired = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(client: HttpClient) {
    this.client = client;
  }

  /** Requests that hold it now. */
  get users(): number {
    return this.#users;
  }

  acquire(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users === 0 && this.#retired) this.#drain();
  }

  /** No new request will be given it. Resolves when it is drained; never rejects. */
  retire(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    if (!this.#retired) {
      this.#retired = true;
      if (this.#users === 0) this.#drain();
    }
    return this.#closed.promise;
  }

  #drain(): void {
    // How closing fails is the client's own affair: nothing waits for these connections any more.
    void this.client
      .close()
      .catch(() => {})
      .then(() => this.#closed?.resolve());
  }
}
