import type { Probe, ProbeRequest } from "@proxy/cluster";
import { prepareDestination } from "@proxy/forwarder";
import { HeaderList, type DestinationCall, type DestinationHandler } from "@proxy/http";
import { proxyModelOf } from "./cluster-models.ts";
import { serverNameOf } from "./server-name.ts";

/** More of a body is not read: the status is known by then. */
const enoughBody = 1_048_576;

/**
 * Sends probes by the cluster's own client, with its TLS settings, connections and version. A probe is over when the whole response
 * has come: a destination that hangs in the middle of one is not well.
 */
export const clientProbe: Probe = (request, { cluster, destination: probed }, signal) => {
  const { client, version: httpVersion, versionPolicy } = proxyModelOf(cluster);
  client.acquire();
  return new Promise<{ status: number }>((resolve, reject) => {
    const handler = new ProbeHandler(resolve, reject);
    const { prefix, target } = split(request.url);
    const destination = prepareDestination(prefix, { serverName: serverNameOf(probed.model?.config ?? {}) });
    const headers = HeaderList.from(request.headers);
    if (!headers.has("host")) headers.set("Host", destination.authority);
    const sent = { method: request.method, target, headers, body: undefined, httpVersion, versionPolicy };
    const call = destination.clientOf(client.client).send(sent, handler);
    handler.use(call);
    signal.addEventListener("abort", () => handler.giveUp(signal.reason as Error), { once: true });
  }).finally(() => client.release());
};

class ProbeHandler implements DestinationHandler {
  readonly #resolve: (result: { status: number }) => void;
  readonly #reject: (error: Error) => void;
  #call: DestinationCall | undefined = undefined;
  #status = 0;
  #received = 0;
  #over = false;

  constructor(resolve: (result: { status: number }) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The call, which is known only after it may have ended. */
  use(call: DestinationCall): void {
    this.#call = call;
    if (this.#received > enoughBody) call.abort(new Error("enough of the body was read"));
  }

  giveUp(cause: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#call?.abort(cause);
    this.#reject(cause);
  }

  onInformational(): void {}
  onProgress(): void {}

  onResponse({ status }: { readonly status: number }): void {
    this.#status = status;
  }

  onData(chunk: Uint8Array): void {
    this.#received += chunk.length;
    if (this.#received <= enoughBody || this.#over) return;
    this.#call?.abort(new Error("enough of the body was read"));
    this.#succeed();
  }

  onEnd(): void {
    this.#succeed();
  }

  onUpgrade(...[, tunnel]: Parameters<DestinationHandler["onUpgrade"]>): void {
    const error = new Error("the destination upgraded a probe");
    tunnel.abort(error);
    this.onError(error);
  }

  onError(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reject(error);
  }

  #succeed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#resolve({ status: this.#status });
  }
}

/** Scheme and authority, and what goes on the wire. */
function split(url: ProbeRequest["url"]): { prefix: string; target: string } {
  const { origin, pathname, search } = new URL(url);
  return { prefix: origin, target: pathname + search };
}
